public import FoundationEssentials
import Glibc

/// Times as people read them, in the machine's time zone.
public enum LocalTime {
    /// Such as "2025-03-09 14:05".
    public static func minute(_ date: Date) -> String { format(date, "%Y-%m-%d %H:%M") }

    /// Such as "14:05:30".
    public static func second(_ date: Date) -> String { format(date, "%H:%M:%S") }

    /// A time to come: such as "14:05:30", or with its date where it is not within the next twelve hours.
    public static func ahead(_ date: Date) -> String {
        date.timeIntervalSinceNow < 12 * 3600 ? second(date) : minute(date)
    }

    private static func format(_ date: Date, _ pattern: String) -> String {
        var time = time_t(date.timeIntervalSince1970)
        var parts = tm()
        guard localtime_r(&time, &parts) != nil else { return "-" }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            guard let start = buffer.baseAddress, strftime(start, buffer.count, pattern, &parts) > 0 else {
                return "-"
            }
            return String(cString: start)
        }
    }
}
