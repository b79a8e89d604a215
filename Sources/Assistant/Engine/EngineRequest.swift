import AssistantAPI
import Synchronization

/// A request on its way through the engine: what is asked, and where its events go.
final class EngineRequest: Sendable {
    typealias Stream = AsyncThrowingStream<CompletionEvent, any Error>

    let id: UInt64
    /// Requests of one lane are answered in order; lanes take turns.
    let lane: String
    /// The conversation to whom the cache belongs afterwards; `nil` for none.
    let owner: String?
    let model: ModelFile
    let prompt: CompletionRequest.Prompt
    let plan: GenerationPlan
    let arrival = ContinuousClock.now
    private let continuation: Stream.Continuation
    private let cancelled = Atomic(false)
    private let lastAhead = Atomic(0)

    init(
        id: UInt64, lane: String, owner: String?, model: ModelFile, prompt: CompletionRequest.Prompt,
        plan: GenerationPlan, continuation: Stream.Continuation
    ) {
        self.id = id
        self.lane = lane
        self.owner = owner
        self.model = model
        self.prompt = prompt
        self.plan = plan
        self.continuation = continuation
    }

    var isChat: Bool {
        if case .chat = prompt { true } else { false }
    }

    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    /// Asks the engine to stop; it does so within one token, or at the next checkpoint of a prefill.
    func cancel() { cancelled.store(true, ordering: .relaxed) }

    func send(_ event: CompletionEvent) { continuation.yield(event) }

    /// Tells how many are before this request, if that changed since it was last told.
    func send(ahead: Int) {
        if lastAhead.exchange(ahead, ordering: .relaxed) != ahead, ahead > 0 { send(.queued(ahead: ahead)) }
    }

    func finish(_ summary: CompletionSummary) {
        continuation.yield(.completed(summary))
        continuation.finish()
    }

    func fail(_ error: AssistantError) { continuation.finish(throwing: error) }

    /// Ends a request that was cancelled before anything was done for it.
    func finishUntouched() {
        let waited = (ContinuousClock.now - arrival).milliseconds
        finish(
            CompletionSummary(
                finish: .cancelled, usage: Usage(promptTokens: 0, cachedTokens: 0, completionTokens: 0),
                timings: Timings(queued: waited, loading: 0, prefill: 0, decode: 0, firstToken: 0)))
    }
}

extension Duration {
    var milliseconds: Double {
        Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
    }
}
