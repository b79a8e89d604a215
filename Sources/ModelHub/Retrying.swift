/// How often and after which pause something is tried again: a value, so that it can be told without waiting.
struct Backoff: Sendable, Equatable {
    /// So many failures in a row, without a byte between them, are the end.
    var attempts = 6
    /// After the first failure; each further one doubles it.
    var first = Duration.milliseconds(500)
    var longest = Duration.seconds(30)
    /// A hub that asks for more is not waited for.
    var longestAsked = 300

    private var failures = 0

    init() {}

    /// Something was achieved: the next failure is the first one again.
    mutating func succeed() { failures = 0 }

    /// The pause before the next attempt; `nil` when the error is the answer.
    mutating func pause(after error: any Error) -> Duration? {
        failures += 1
        guard failures < attempts, let error = error as? HubError else { return nil }
        let doubled = min(first * (1 << min(failures - 1, 16)), longest)
        switch error {
        case .unreachable, .failing: return doubled
        case .tooManyRequests(_, let wait):
            let asked = wait ?? 0
            return asked > longestAsked ? nil : max(doubled, .seconds(asked))
        default: return nil
        }
    }
}

/// Tries again what a hub or the way to it made fail.
struct Retrying: Sendable {
    var backoff = Backoff()
    var clock: any Clock<Duration> = ContinuousClock()
    /// Is told why and for how long there is a pause.
    var onPause: @Sendable (HubError, Duration) -> Void = { _, _ in }

    func run<Value>(_ work: () async throws -> Value) async throws -> Value {
        var backoff = backoff
        while true {
            do {
                return try await work()
            } catch {
                try await pause(&backoff, after: error)
            }
        }
    }

    /// Waits before the next attempt.
    ///
    /// - Throws: the error itself, where there is to be none.
    func pause(_ backoff: inout Backoff, after error: any Error) async throws {
        guard let pause = backoff.pause(after: error) else { throw error }
        if let error = error as? HubError { onPause(error, pause) }
        try await clock.sleep(for: pause)
    }
}
