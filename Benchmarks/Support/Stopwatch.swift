import Glibc

/// Measures wall-clock and processor time together.
public struct Stopwatch {
    /// One measurement.
    public struct Sample: Sendable {
        public let seconds: Double
        /// Of all threads of the process.
        public let processorSeconds: Double
    }

    private let start = ContinuousClock.now
    private let processorStart = Self.processorSeconds()

    public init() {}

    /// The time since this stopwatch was made.
    public func read() -> Sample {
        Sample(
            seconds: start.duration(to: .now).seconds,
            processorSeconds: Self.processorSeconds() - processorStart)
    }

    /// The process's largest resident memory in bytes.
    public static func peakResidentBytes() -> Int {
        Int(usage().ru_maxrss) * 1024
    }

    private static func processorSeconds() -> Double {
        let usage = usage()
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) * 1e-6
    }

    private static func usage() -> rusage {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage
    }
}

extension Duration {
    public var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}

extension [Double] {
    /// The middle value, or the mean of the two in the middle; 0 without values.
    public var median: Double {
        let sorted = sorted()
        guard let middle = sorted.dropFirst(count / 2).first else { return 0 }
        return count % 2 == 1 ? middle : (sorted[count / 2 - 1] + middle) / 2
    }
}
