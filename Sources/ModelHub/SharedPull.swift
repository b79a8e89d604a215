import AssistantAPI
import Synchronization

/// A pull that several may watch: who comes later is told how far it is, and when all have left it stops.
final class SharedPull: Sendable {
    typealias Stream = AsyncThrowingStream<PullEvent, any Error>

    private struct State {
        var watchers: [Int: Stream.Continuation] = [:]
        var lastNumber = 0
        /// What a new watcher has to know.
        var planned: PullEvent?
        var progress: PullEvent?
        var result: Result<PullEvent.Completed, any Error>?
        var isStopped = false
        var task: Task<Void, Never>?
    }

    let plan: PullPlan
    private let state = Mutex(State())

    init(_ plan: PullPlan) { self.plan = plan }

    /// Does the work in a task of its own.
    func run(_ work: @escaping @Sendable () async throws -> PullEvent.Completed) {
        state.withLock { state in
            let task = Task {
                let result: Result<PullEvent.Completed, any Error>
                do {
                    result = .success(try await work())
                } catch {
                    result = .failure(error)
                }
                self.end(result)
            }
            state.task = task
            if state.isStopped { task.cancel() }
        }
    }

    func send(_ event: PullEvent) {
        state.withLock { state in
            switch event {
            case .planned: state.planned = event
            case .progress, .verifying: state.progress = event
            default: break
            }
            for watcher in state.watchers.values { watcher.yield(event) }
        }
    }

    /// Whether it goes on, or has come to its end by itself.
    var isJoinable: Bool { state.withLock { !$0.isStopped } }

    /// All that happens from now on, and before that how far it is.
    func subscribe() -> Stream {
        let (stream, events) = AsyncThrowingStream.makeStream(of: PullEvent.self)
        let number = state.withLock { state in
            state.lastNumber += 1
            for event in [state.planned, state.progress].compactMap({ $0 }) { events.yield(event) }
            if let result = state.result {
                Self.finish(events, with: result)
            } else {
                state.watchers[state.lastNumber] = events
            }
            return state.lastNumber
        }
        events.onTermination = { _ in self.leave(number) }
        return stream
    }

    /// Stops the work.
    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.task?.cancel()
        }
    }

    /// Returns when the work is over.
    func ended() async { await state.withLock { $0.task }?.value }

    private func leave(_ number: Int) {
        state.withLock { state in
            guard state.watchers.removeValue(forKey: number) != nil, state.watchers.isEmpty else { return }
            state.isStopped = true
            state.task?.cancel()
        }
    }

    private func end(_ result: Result<PullEvent.Completed, any Error>) {
        let watchers = state.withLock { state in
            state.result = result
            defer { state.watchers = [:] }
            return Array(state.watchers.values)
        }
        for watcher in watchers { Self.finish(watcher, with: result) }
    }

    private static func finish(
        _ events: Stream.Continuation, with result: Result<PullEvent.Completed, any Error>
    ) {
        switch result {
        case .success(let completed):
            events.yield(.completed(completed))
            events.finish()
        case .failure(let error): events.finish(throwing: error)
        }
    }
}
