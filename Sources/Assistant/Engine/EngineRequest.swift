import AssistantAPI

/// A request for an answer on its way through the engine: what is asked, and where its events go.
final class EngineRequest: EngineJob {
    typealias Stream = AsyncThrowingStream<CompletionEvent, any Error>

    var queue: any WritableKeyPath<EngineGate.State, EngineQueue<EngineRequest>> & Sendable {
        \.answers
    }

    let ticket: EngineTicket
    /// The conversation to whom the cache belongs afterwards; `nil` for none.
    let owner: String?
    let prompt: CompletionRequest.Prompt
    let plan: GenerationPlan
    private let continuation: Stream.Continuation

    init(
        id: UInt64, lane: String, owner: String?, model: ModelFile, prompt: CompletionRequest.Prompt,
        plan: GenerationPlan, keepAlive: KeepAlive? = nil, continuation: Stream.Continuation
    ) {
        ticket = EngineTicket(id: id, lane: lane, model: model, keepAlive: keepAlive)
        self.owner = owner
        self.prompt = prompt
        self.plan = plan
        self.continuation = continuation
    }

    var isChat: Bool {
        if case .chat = prompt { true } else { false }
    }

    func send(_ event: CompletionEvent) { continuation.yield(event) }

    func sendQueued(ahead: Int) { send(.queued(ahead: ahead)) }

    func finish(_ summary: CompletionSummary) {
        continuation.yield(.completed(summary))
        continuation.finish()
    }

    func fail(_ error: AssistantError) { continuation.finish(throwing: error) }

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
