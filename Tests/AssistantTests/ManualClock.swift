import Synchronization

/// A clock that goes on only when it is told to.
final class ManualClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration

        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (one: Instant, other: Instant) -> Bool { one.offset < other.offset }
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleepers: [Int: (deadline: Instant, continuation: CheckedContinuation<Void, Never>)] = [:]
        var lastSleeper = 0
        /// Sleepers that were cancelled before they fell asleep.
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())
    private let sleeps: AsyncStream<Duration>
    private let newSleep: AsyncStream<Duration>.Continuation

    init() { (sleeps, newSleep) = AsyncStream.makeStream() }

    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .nanoseconds(1) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let number = state.withLock { state in
            state.lastSleeper += 1
            return state.lastSleeper
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { fallAsleep(number, until: deadline, $0) }
        } onCancel: {
            wake(number)
        }
        try Task.checkCancellation()
    }

    private func fallAsleep(
        _ number: Int, until deadline: Instant, _ continuation: CheckedContinuation<Void, Never>
    ) {
        let rest = state.withLock { state -> Duration? in
            if state.cancelled.contains(number) || deadline <= state.now { return nil }
            state.sleepers[number] = (deadline, continuation)
            return state.now.duration(to: deadline)
        }
        if let rest { newSleep.yield(rest) } else { continuation.resume() }
    }

    private func wake(_ number: Int) {
        let sleeper = state.withLock { state in
            state.cancelled.insert(number)
            return state.sleepers.removeValue(forKey: number)
        }
        sleeper?.continuation.resume()
    }

    /// Waits until somebody begins to sleep, and returns for how long.
    func nextSleep() async -> Duration? {
        var iterator = sleeps.makeAsyncIterator()
        return await iterator.next()
    }

    /// Lets time pass and wakes up whose time has come.
    func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
            for number in due.keys { state.sleepers[number] = nil }
            return due.values
        }
        for sleeper in due { sleeper.continuation.resume() }
    }
}
