/// When a model that could not be made ready is tried again: soon, then ever less often, so that one which never loads
/// costs little and one for which there was no room comes by itself.
struct LoadRetry: Sendable, Equatable {
    /// Before it nothing is tried again, whatever is typed.
    static let shortest = Duration.seconds(2)
    /// Between two tries that nobody asked for.
    static let longest = Duration.seconds(120)

    /// When it failed last; `nil` while it is being tried, and once it is ready.
    private var failedAt: Duration?
    private var failures = 0

    mutating func failed(at now: Duration) {
        failedAt = now
        failures += 1
    }

    mutating func begins() { failedAt = nil }

    /// It is ready, or another one is to be.
    mutating func forget() { self = LoadRetry() }

    /// Whether whoever types has it tried again.
    func isDue(at now: Duration) -> Bool { failedAt.map { now - $0 >= Self.shortest } ?? false }

    /// When it is tried again although nothing happens.
    var deadline: Duration? {
        guard let failedAt else { return nil }
        let doublings = min(failures - 1, 10)
        return failedAt + min(Self.shortest * (1 << doublings), Self.longest)
    }
}
