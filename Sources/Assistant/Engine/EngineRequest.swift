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
    /// Tokens that stand before a chat.
    let context: [Int32]
    let plan: GenerationPlan
    /// Texts whose vectors are asked for, in place of an answer.
    let embedding: EmbeddingWork?
    private let continuation: Stream.Continuation

    init(
        id: UInt64, lane: String, owner: String?, model: ModelFile, prompt: CompletionRequest.Prompt,
        context: [Int32] = [], plan: GenerationPlan, embedding: EmbeddingWork? = nil,
        keepAlive: KeepAlive? = nil, continuation: Stream.Continuation
    ) {
        ticket = EngineTicket(id: id, lane: lane, model: model, keepAlive: keepAlive)
        self.owner = owner
        self.prompt = prompt
        self.context = context
        self.plan = plan
        self.embedding = embedding
        self.continuation = continuation
    }

    var isChat: Bool {
        if case .chat = prompt { true } else { false }
    }

    /// Whether the model is to come into memory, and nothing else.
    var onlyLoads: Bool { prompt == .nothing && embedding == nil }

    func send(_ event: CompletionEvent) { continuation.yield(event) }

    func sendQueued(ahead: Int) { send(.queued(ahead: ahead)) }

    func finish(_ summary: CompletionSummary) {
        continuation.yield(.completed(summary))
        continuation.finish()
    }

    func fail(_ error: AssistantError) { continuation.finish(throwing: error) }

    func finishUntouched() { finishWithoutAnswer(.cancelled, loading: .zero) }

    /// Ends a request for which nothing was evaluated, `loading` of its time apart.
    func finishWithoutAnswer(_ reason: FinishReason, loading: Duration) {
        let waited = (ContinuousClock.now - arrival - loading).milliseconds
        finish(
            CompletionSummary(
                finish: reason, usage: Usage(promptTokens: 0, cachedTokens: 0, completionTokens: 0),
                timings: Timings(
                    queued: waited, loading: loading.milliseconds, prefill: 0, decode: 0, firstToken: 0)))
    }
}

extension Duration {
    var milliseconds: Double {
        Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
    }
}
