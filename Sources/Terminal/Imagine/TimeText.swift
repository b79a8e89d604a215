/// Durations as people read them.
enum TimeText {
    /// Such as "42 ms", and from a second on as `precise` has it.
    static func short(_ time: Duration) -> String {
        let seconds = max(0, time.seconds)
        return seconds < 0.9995 ? "\(Int((seconds * 1000).rounded())) ms" : precise(time)
    }

    /// Such as "0.42 s", "12.3 s", "2 min 5 s" or "1 h 3 min".
    static func precise(_ time: Duration) -> String {
        let seconds = max(0, time.seconds)
        if seconds < 9.995 { return hundredths(seconds) + " s" }
        if seconds < 99.95 { return tenths(seconds) + " s" }
        return whole(time)
    }

    /// Such as "4 s", "2 min 5 s" or "1 h 3 min".
    static func whole(_ time: Duration) -> String {
        let seconds = Int(max(0, min(time.seconds, 1e9)).rounded())
        if seconds < 60 { return "\(seconds) s" }
        if seconds < 3600 { return "\(seconds / 60) min \(seconds % 60) s" }
        return "\(seconds / 3600) h \(seconds % 3600 / 60) min"
    }

    private static func tenths(_ value: Double) -> String {
        let number = Int((value * 10).rounded())
        return "\(number / 10).\(number % 10)"
    }

    private static func hundredths(_ value: Double) -> String {
        let number = Int((value * 100).rounded())
        return "\(number / 100).\(number % 100 < 10 ? "0" : "")\(number % 100)"
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
