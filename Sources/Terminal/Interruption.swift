import Glibc

/// Turns Control-C into the cancelling of what runs.
public enum Interruption {
    /// Runs `body` in a task that Control-C cancels; a second Control-C ends the process at once.
    public static func cancelling<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        RawMode.installHandlers()
        let task = Task { try await body() }
        let events = SignalEvents([SIGINT]) { _ in
            task.cancel()
            RawMode.endProcess(by: SIGINT)
        }
        defer { withExtendedLifetime(events) {} }
        return try await task.value
    }
}
