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
        let groups = MemoryGroup.all.flatMap { group in
            zip(group.files(group.maximum), zip(group.files(group.current), group.files("memory.stat")))
                .compactMap { maximum, use in
                    availableMemory(
                        maximum: maximum, current: use.0, statistics: use.1, reclaimable: group.reclaimable)
                }
        }
        return (groups + [machine].compactMap(\.self)).min()
    }

    /// What models and caches may take where nobody says it: most of the machine's memory, or of what this process's
    /// control groups allow; without bounds where the system does not say.
    static func defaultBudget() -> Int {
        let machine = readFile("/proc/meminfo").flatMap { value(of: "MemTotal:", in: $0) }.map { $0 * 1024 }
        let groups = MemoryGroup.all.flatMap { group in group.files(group.maximum).compactMap(limit) }
        return (groups + [machine].compactMap(\.self)).min().map(budget(of:)) ?? 1 << 50
    }

    /// Four fifths of a memory; of a small one less, since the rest of the daemon takes the same everywhere.
    static func budget(of total: Int) -> Int { total - max(total / 5, min(total / 2, 512 << 20)) }

    /// A limit in a control file, in bytes; `nil` where there is none: "max", or in version 1 nearly 2^63.
    static func limit(_ text: String) -> Int? { number(text).flatMap { $0 < 1 << 60 ? $0 : nil } }

    /// Where the kernel tells of memory, in either version of control groups.
    private struct MemoryGroup {
        var controller: String?
        var maximum: String
        var current: String
        /// Of `memory.stat`.
        var reclaimable: String

        static let all = [
            MemoryGroup(maximum: "memory.max", current: "memory.current", reclaimable: "inactive_file"),
            MemoryGroup(
                controller: "memory", maximum: "memory.limit_in_bytes", current: "memory.usage_in_bytes",
                reclaimable: "total_inactive_file"),
        ]

        func files(_ name: String) -> [String] { MachineLimits.cgroupFiles(name, controller: controller) }
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
    static func availableMemory(
        maximum: String, current: String, statistics: String, reclaimable key: String = "inactive_file"
    ) -> Int? {
        guard let maximum = limit(maximum), let current = number(current) else { return nil }
        let reclaimable = value(of: key, in: statistics) ?? 0
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
    ///
    /// `controller` is that of version 1; `nil` means version 2.
    private static func cgroupFiles(_ name: String, controller: String? = nil) -> [String] {
        guard let own = readFile("/proc/self/cgroup"), let path = cgroupPath(in: own, controller: controller)
        else { return [] }
        var folders = path.split(separator: "/")
        let root = ["/sys/fs/cgroup"] + [controller].compactMap(\.self)
        var texts: [String] = []
        while true {
            let folder = (root + folders.map(String.init)).joined(separator: "/")
            if let text = readFile(folder + "/" + name) { texts.append(text) }
            if folders.popLast() == nil { return texts }
        }
    }

    /// This process's group in /proc/self/cgroup, whose lines are "0::/path" or "4:cpu,memory:/path" (version 1).
    static func cgroupPath(in text: String, controller: String?) -> String? {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isWanted =
                if let controller {
                    fields[1].split(separator: ",").contains { $0 == controller }
                } else {
                    fields[0] == "0" && fields[1].isEmpty
                }
            if isWanted { return String(fields[2]) }
        }
        return nil
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
