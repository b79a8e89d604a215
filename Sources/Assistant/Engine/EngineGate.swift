import AssistantAPI
import Synchronization
import Tokenizers

/// The engine's front door: who waits, who is being served, and whether the engine is awake.
///
/// Everything here answers at once, whatever the engine computes.
final class EngineGate: Sendable {
    /// The model in memory, or on its way there.
    struct Resident {
        var model: ModelFile
        var state: ModelSummary.State
        /// Once loaded.
        var tokenizer: Tokenizer?
    }

    private struct State {
        var line: WaitingLine<EngineRequest>
        var running: [UInt64: EngineRequest] = [:]
        var isAwake = false
        var isClosed = false
        var resident: Resident?
        /// How long a request took lately, in seconds: a moving average.
        var typicalSeconds = 5.0
        var idleWaiters: [CheckedContinuation<Void, Never>] = []
    }

    /// How many requests are answered at the same time, a token of each in turn.
    private let runningLimit: Int
    private let state: Mutex<State>

    init(depth: Int, runningLimit: Int) {
        self.runningLimit = runningLimit
        state = Mutex(State(line: WaitingLine(depth: max(1, depth))))
    }

    var resident: Resident? { state.withLock { $0.resident } }

    func setResident(_ resident: Resident?) { state.withLock { $0.resident = resident } }

    /// Puts a request into the line.
    ///
    /// - Returns: whether the engine must be woken up.
    /// - Throws: `queueFull` with a time to try again, `shuttingDown`.
    func admit(_ request: EngineRequest) throws(AssistantError) -> Bool {
        let result = state.withLock { state -> Result<Bool, AssistantError> in
            if state.isClosed {
                return .failure(AssistantError(.shuttingDown, "The daemon is shutting down.", retryAfter: 2))
            }
            guard state.line.append(request, id: request.id, lane: request.lane) else {
                return .failure(full(state))
            }
            tellPlaces(state)
            defer { state.isAwake = true }
            return .success(!state.isAwake)
        }
        return try result.get()
    }

    /// The next request to serve, which counts as running from now on.
    ///
    /// Only a request for `model` is handed out, unless nothing runs.
    func next(for model: ModelFile?) -> EngineRequest? {
        state.withLock { state in
            guard state.running.count < runningLimit, let first = state.line.first,
                state.running.isEmpty || first.model == model, let request = state.line.removeFirst()
            else { return nil }
            state.running[request.id] = request
            return request
        }
    }

    /// Ends a running request's place.
    func isDone(_ request: EngineRequest) {
        state.withLock { state in
            guard state.running.removeValue(forKey: request.id) != nil else { return }
            let seconds = (ContinuousClock.now - request.arrival).milliseconds / 1000
            state.typicalSeconds += (seconds - state.typicalSeconds) / 8
            tellPlaces(state)
        }
    }

    /// Stops a request: one that waits leaves the line at once, a running one is told.
    func cancel(_ request: EngineRequest) {
        request.cancel()
        let waiting = state.withLock { state in
            let removed = state.line.remove(id: request.id)
            if removed != nil { tellPlaces(state) }
            return removed
        }
        waiting?.finishUntouched()
    }

    /// Whether the engine may sleep; if so, the next `admit` asks to wake it up.
    func sleep() -> Bool {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>]? in
            guard state.line.isEmpty else { return nil }
            state.isAwake = false
            defer { state.idleWaiters = [] }
            return state.idleWaiters
        }
        guard let waiters else { return false }
        for waiter in waiters { waiter.resume() }
        return true
    }

    /// Waits until nothing runs and nothing waits.
    func idle() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.isAwake { state.idleWaiters.append(continuation) }
                return !state.isAwake
            }
            if isIdle { continuation.resume() }
        }
    }

    /// - Throws: `queueFull` when a request that came now would be refused.
    func checkRoom() throws(AssistantError) {
        let error = state.withLock { $0.line.isFull ? full($0) : nil }
        if let error { throw error }
    }

    /// Takes no more requests.
    func close() { state.withLock { $0.isClosed = true } }

    /// Stops everything that runs or waits.
    func cancelAll() {
        let (waiting, running) = state.withLock { state in (state.line.removeAll(), state.running.values) }
        for request in waiting { request.finishUntouched() }
        for request in running { request.cancel() }
    }

    private func full(_ state: State) -> AssistantError {
        let rounds = (state.line.count + state.running.count) / runningLimit + 1
        let seconds = Int((state.typicalSeconds * Double(rounds)).rounded(.up))
        return AssistantError(
            .queueFull,
            "\(state.line.count) requests are waiting already, which is all that the queue takes.",
            retryAfter: min(60, max(1, seconds)))
    }

    /// Tells those that wait how many are before them.
    private func tellPlaces(_ state: State) {
        let free = runningLimit - state.running.count
        for (place, request) in state.line.inOrder.enumerated() {
            let isNext = place < free && (state.running.isEmpty || request.model == state.resident?.model)
            request.send(ahead: isNext && place == 0 ? 0 : place + state.running.count)
        }
    }
}
