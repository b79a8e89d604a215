import Glibc

/// What this process may use of the machine: processors and memory, by affinity and control groups.
enum MachineLimits {
    /// How many threads are worth running: the processors this process may run on, or fewer by its cgroup's quota.
    static func threadCount() -> Int {
        let allowed = allowedProcessors()
        let quota = cgroupFiles("cpu.max").compactMap(processorQuota).min()
        guard let quota else { return allowed }
        return max(1, min(allowed, Int(quota.rounded(.up))))
    }

    /// The memory that can still be had without swapping, in bytes; `nil` where the system does not say.
    static func availableMemory() -> Int? {
        let machine = readFile("/proc/meminfo").flatMap(availableMemory(inMeminfo:))
        let group = zip(
            cgroupFiles("memory.max"), zip(cgroupFiles("memory.current"), cgroupFiles("memory.stat"))
        )
        .compactMap { maximum, use in availableMemory(maximum: maximum, current: use.0, statistics: use.1) }
        .min()
        return switch (machine, group) {
        case (let machine?, let group?): min(machine, group)
        case (let machine, let group): machine ?? group
        }
    }

    /// Memory of this process that is in use, in bytes; `nil` where the system does not say.
    static func residentBytes() -> Int? {
        readFile("/proc/self/status").flatMap { value(of: "VmRSS:", in: $0) }.map { $0 * 1024 }
    }

    /// The quota in `cpu.max` as a count of processors; `nil` when there is none ("max 100000").
    static func processorQuota(_ text: String) -> Double? {
        let fields = text.split(whereSeparator: \.isWhitespace)
        guard fields.count == 2, let quota = Double(fields[0]), let period = Double(fields[1]), period > 0
        else { return nil }
        return quota / period
    }

    /// `MemAvailable` of /proc/meminfo, in bytes.
    static func availableMemory(inMeminfo text: String) -> Int? {
        value(of: "MemAvailable:", in: text).map { $0 * 1024 }
    }

    /// What a cgroup may still take, in bytes: pages of files that nobody used lately can be given back.
    static func availableMemory(maximum: String, current: String, statistics: String) -> Int? {
        guard let maximum = number(maximum), let current = number(current) else { return nil }
        let reclaimable = value(of: "inactive_file", in: statistics) ?? 0
        return max(0, maximum - max(0, current - reclaimable))
    }

    private static func number(_ text: String) -> Int? {
        text.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
    }

    private static func value(of key: String, in text: String) -> Int? {
        for line in text.split(separator: "\n") {
            let fields = line.split(whereSeparator: \.isWhitespace)
            if fields.count >= 2, fields[0] == key { return Int(fields[1]) }
        }
        return nil
    }

    private static func allowedProcessors() -> Int {
        readFile("/proc/self/status").flatMap(allowedProcessors(inStatus:))
            ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    /// The size of the affinity mask in /proc/self/status, such as "Cpus_allowed:	ff,ffffffff".
    static func allowedProcessors(inStatus text: String) -> Int? {
        for line in text.split(separator: "\n") where line.hasPrefix("Cpus_allowed:") {
            let digits = line.dropFirst("Cpus_allowed:".count).compactMap(\.hexDigitValue)
            let count = digits.reduce(0) { $0 + $1.nonzeroBitCount }
            return count > 0 ? count : nil
        }
        return nil
    }

    /// A control file's text in this process's cgroup and in every one above it, where it exists.
    private static func cgroupFiles(_ name: String) -> [String] {
        guard let own = readFile("/proc/self/cgroup"),
            let line = own.split(separator: "\n").first(where: { $0.hasPrefix("0::") })
        else { return [] }
        var folders = line.dropFirst(3).split(separator: "/")
        var texts: [String] = []
        while true {
            let folder = (["/sys/fs/cgroup"] + folders.map(String.init)).joined(separator: "/")
            if let text = readFile(folder + "/" + name) { texts.append(text) }
            if folders.popLast() == nil { return texts }
        }
    }

    /// The text of a small file of the kernel's; they have no size, so it is read until its end.
    private static func readFile(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 1 << 20 {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
