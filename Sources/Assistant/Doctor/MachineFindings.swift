import AssistantAPI
import Glibc
import Tensors

/// What is said of the machine itself.
enum MachineFindings {
    static func processor(threads: Int) -> DoctorFinding {
        let name = readFile("/proc/cpuinfo").flatMap(name(inProcessors:)) ?? "a processor without a name"
        let kernels = Operations.InstructionSet.best
        let online = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let isSlow = kernels == .scalar
        var text = "\(name), \(threads) of \(online) processors; kernels for \(kernels.title)"
        if isSlow { text += ", without vector instructions that are known: slow" }
        return DoctorFinding(
            "processor", isSlow ? .warn : .ok, text,
            figures: ["threads": Double(threads), "processors": Double(online)])
    }

    /// `model name` of /proc/cpuinfo.
    static func name(inProcessors text: String) -> String? {
        for line in text.split(separator: "\n") where line.hasPrefix("model name") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            return name.isEmpty ? nil : String(name.prefix(100))
        }
        return nil
    }

    static func disk(of folder: String) -> DoctorFinding {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else {
            return DoctorFinding(
                "disk", .fail, "\(folder) cannot be looked at: \(String(cString: strerror(errno)))")
        }
        guard access(folder, W_OK) == 0 else {
            return DoctorFinding("disk", .fail, "\(folder) cannot be written to, so no model can be added")
        }
        let free = Int(
            clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).0)
        let isShort = free < 6 << 30
        return DoctorFinding(
            "disk", isShort ? .warn : .ok,
            "\(free.gigabytes) are free in \(folder)"
                + (isShort ? "; a model of 8 billion parameters takes 5 GB" : ""),
            figures: ["free_bytes": Double(free)])
    }

    static func speed(_ speed: MachineThread.Speed) -> [DoctorFinding] {
        [
            DoctorFinding(
                "bandwidth", .ok,
                "memory is read at \((speed.bandwidth / 1e9).tenths) GB a second, which bounds how fast answers are "
                    + "written", figures: ["bytes_per_second": speed.bandwidth]),
            DoctorFinding(
                "compute", .ok,
                "convolutions run at \((speed.convolutions / 1e9).whole) GFLOP a second, which bounds how fast "
                    + "pictures are painted", figures: ["flop_per_second": speed.convolutions]),
        ]
    }

    private static func readFile(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}

extension Operations.InstructionSet {
    fileprivate var title: String {
        switch self {
        case .scalar: "any processor"
        case .avx2: "AVX2"
        case .avx512: "AVX-512 with VNNI"
        case .neon: "NEON"
        case .dotprod: "NEON with dot products"
        }
    }
}

extension Int {
    /// A count of bytes as people read it, such as "7.5 GB".
    var gigabytes: String { (Double(self) / 1e9).tenths + " GB" }
}

extension Double {
    var whole: String { isFinite && abs(self) < 1e15 ? String(Int(rounded())) : "?" }

    var tenths: String { decimals(1, 10) }

    var hundredths: String { decimals(2, 100) }

    private func decimals(_ count: Int, _ factor: Double) -> String {
        guard isFinite, abs(self) < 1e15 else { return "?" }
        let number = Int((self * factor).rounded())
        let (integer, fraction) = number.quotientAndRemainder(dividingBy: Int(factor))
        let digits = String(abs(fraction))
        return "\(integer)." + String(repeating: "0", count: count - digits.count) + digits
    }
}
