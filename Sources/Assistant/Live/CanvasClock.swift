/// The time that a canvas lives by: the machine's, or a test's.
struct CanvasClock: Sendable {
    /// Since some fixed instant.
    var now: @Sendable () -> Duration
    /// Until such an instant.
    var sleep: @Sendable (_ until: Duration) async throws -> Void

    init<C: Clock>(_ clock: C) where C.Duration == Duration {
        let origin = clock.now
        now = { origin.duration(to: clock.now) }
        sleep = { try await clock.sleep(until: origin.advanced(by: $0), tolerance: nil) }
    }
}
