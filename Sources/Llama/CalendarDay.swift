import FoundationEssentials

/// A day of the Gregorian calendar, written as Llama's templates do: "26 Jul 2024".
public struct CalendarDay: Sendable, Equatable, CustomStringConvertible {
    public let year: Int
    public let month: Int
    public let day: Int

    private static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The day; nil if the month is not 1...12 or the day not 1...31.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...12).contains(month), (1...31).contains(day) else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// The current day where the machine is.
    public static var today: CalendarDay {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .current
        let parts = calendar.dateComponents([.year, .month, .day], from: .now)
        return CalendarDay(year: parts.year ?? 0, month: parts.month ?? 0, day: parts.day ?? 0)
            ?? templateDefault
    }

    /// The day that the published templates name when nobody tells them one.
    public static let templateDefault = CalendarDay(unchecked: 2024, 7, 26)

    private init(unchecked year: Int, _ month: Int, _ day: Int) {
        (self.year, self.month, self.day) = (year, month, day)
    }

    public var description: String {
        "\(day < 10 ? "0" : "")\(day) \(Self.monthNames[month - 1]) \(year)"
    }
}
