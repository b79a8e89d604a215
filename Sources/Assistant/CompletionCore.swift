import AssistantAPI
import Settings
import Synchronization

/// The way of every completion to the engine: names become files, settings are checked and filled in.
final class CompletionCore: Sendable {
    let catalog: ModelCatalog
    let engine: Engine
    private let configuration: Configuration
    private let grammars = GrammarStore()
    private let lastNames: Mutex<[ModelFile]>
    private let lastID = Atomic<UInt64>(0)
    private let isClosed = Atomic(false)

    init(_ configuration: Configuration, catalog: ModelCatalog, engine: Engine) {
        self.configuration = configuration
        self.catalog = catalog
        self.engine = engine
        lastNames = Mutex(catalog.models().filter { !$0.source.isForeign })
    }

    /// The models that were there when they were last looked for.
    var names: [ModelFile] { lastNames.withLock { $0 } }

    /// Looks for models again.
    func refreshNames() -> [ModelFile] {
        let models = catalog.models()
        lastNames.withLock { $0 = models.filter { !$0.source.isForeign } }
        return models
    }

    func state(of model: ModelFile) -> ModelSummary.State {
        engine.gate.resident(of: model)?.state ?? .unloaded
    }

    /// Takes no more requests from outside.
    func close() { isClosed.store(true, ordering: .relaxed) }

    /// Starts a completion.
    ///
    /// - Parameters:
    ///   - request: What is asked.
    ///   - lane: Requests of one lane are answered in order; lanes take turns.
    ///   - owner: The conversation that the cache belongs to afterwards.
    ///   - embedding: Texts whose vectors are asked for, in place of an answer.
    /// - Returns: Its events, and a way to stop it.
    /// - Throws: `invalidRequest`, `modelNotFound`, `queueFull`, `shuttingDown`.
    func start(
        _ request: CompletionRequest, lane: String, owner: Conversation.ID?, embedding: EmbeddingWork? = nil
    ) throws(AssistantError) -> AnswerEngine.Running {
        if owner == nil, isClosed.load(ordering: .relaxed) {
            throw AssistantError(.shuttingDown, "The daemon is shutting down.", retryAfter: 2)
        }
        let (events, continuation) = AsyncThrowingStream.makeStream(of: CompletionEvent.self)
        let job = try job(request, lane: lane, owner: owner, embedding: embedding, continuation)
        let gate = engine.gate
        continuation.onTermination = { reason in
            if case .cancelled = reason { gate.cancel(job) }
        }
        try engine.submit(job)
        return AnswerEngine.Running(events: events) { gate.cancel(job) }
    }

    /// Starts an embedding, whose events are those of a completion without tokens.
    ///
    /// - Throws: as for a completion.
    func start(
        _ work: EmbeddingWork, model: String?, keepAlive: KeepAlive?, lane: String
    ) throws(AssistantError) -> AnswerEngine.Running {
        // Nothing is generated: that much memory need not be kept free.
        var settings = GenerationSettings()
        settings.maxTokens = 0
        let request = CompletionRequest(
            model: model, prompt: .nothing, settings: settings, keepAlive: keepAlive)
        return try start(request, lane: lane, owner: nil, embedding: work)
    }

    private func job(
        _ request: CompletionRequest, lane: String, owner: Conversation.ID?, embedding: EmbeddingWork? = nil,
        _ continuation: EngineRequest.Stream.Continuation
    ) throws(AssistantError) -> EngineRequest {
        EngineRequest(
            id: lastID.add(1, ordering: .relaxed).newValue, lane: lane, owner: owner,
            model: try catalog.resolve(request.model), prompt: request.prompt, context: request.context,
            plan: try plan(request), embedding: embedding, keepAlive: request.keepAlive,
            continuation: continuation)
    }

    /// Has a prompt's beginning evaluated before it is asked for, while nothing else is to be done.
    ///
    /// - Parameters:
    ///   - request: a chat whose last message is what has been typed so far.
    ///   - conversation: the one that is typed in; what was typed there before is forgotten.
    /// - Throws: `invalidRequest`, `modelNotFound`.
    func expect(_ request: CompletionRequest, in conversation: Conversation.ID) throws(AssistantError) {
        let (_, nobody) = AsyncThrowingStream.makeStream(of: CompletionEvent.self)
        engine.expect(try job(request, lane: conversation, owner: conversation, nobody))
    }

    /// What conversations see of this, and of the pictures.
    func answerEngine(pictures: PictureService) -> AnswerEngine {
        AnswerEngine(
            check: { request throws(AssistantError) in
                _ = try self.plan(request)
                let model = try self.catalog.resolve(request.model)
                try self.engine.gate.checkRoom()
                return model.name
            },
            start: { request, conversation throws(AssistantError) in
                try self.start(request, lane: conversation, owner: conversation)
            },
            paint: { request, conversation in pictures.make(request, client: conversation) },
            expect: { request, conversation throws(AssistantError) in
                try self.expect(request, in: conversation)
            },
            forget: { conversation in
                let engine = self.engine
                engine.gate.dropDraft(of: conversation)
                Task { await engine.forget(owner: conversation) }
            })
    }

    /// What a request's settings come to, with the configuration's values where it says nothing.
    func filled(_ settings: GenerationSettings) -> GenerationSettings {
        settings.filled(from: configuration.chat)
    }

    private func plan(_ request: CompletionRequest) throws(AssistantError) -> GenerationPlan {
        var plan = try GenerationPlan(
            request.settings, logprobs: request.logprobs, echo: request.echo, defaults: configuration.chat,
            seed: .random(in: .min ... .max))
        plan.reportsTokens = request.reportsTokens
        plan.toolUse = request.toolUse
        if let constraint = request.toolUse?.constraint ?? request.constraint {
            plan.constraint = .init(source: constraint, grammar: try grammars.grammar(of: constraint))
        } else if let tools = request.toolUse?.tools, let grammar = grammars.grammar(ofBegunCalls: tools) {
            plan.constraint = .init(source: .toolCall(tools), grammar: grammar, isLazy: true)
        }
        return plan
    }
}
