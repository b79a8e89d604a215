/// How fast a person types: the usual time between two keys, pauses left out.
struct TypingRhythm: Sendable, Equatable {
    /// The usual gap of a person of whom nothing is known yet: about 70 words a minute.
    static let assumed = Duration.milliseconds(170)
    /// Nobody types faster for long; what does is no person, and must not set the pace.
    static let shortest = Duration.milliseconds(60)
    /// A longer gap is a pause for thought and says nothing about the rhythm.
    static let longest = Duration.milliseconds(1000)

    private(set) var gap = assumed
    private var lastKey: Duration?

    /// A key was pressed at an instant.
    mutating func key(at now: Duration) {
        defer { lastKey = now }
        guard let lastKey, now - lastKey <= Self.longest else { return }
        // A moving average over about eight keys.
        gap += (max(now - lastKey, Self.shortest) - gap) / 8
    }
}
