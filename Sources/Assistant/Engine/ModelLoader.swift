import AssistantAPI
import Checkpoints
import Llama
import Settings
import Tensors

/// What computes, on one pool: of each kind of work that another's checkpoint may begin, with scratch memory of its own.
struct EngineOperations {
    let pool: WorkerPool
    let answers: Operations
    let pictures: Operations
    let refinements: Operations
    let drafts: Operations

    init(pool: WorkerPool) {
        self.pool = pool
        answers = Operations(pool: pool)
        pictures = Operations(pool: pool)
        refinements = Operations(pool: pool)
        drafts = Operations(pool: pool)
    }

    func frames(_ rank: FrameEngine.Request.Rank) -> Operations { rank == .draft ? drafts : refinements }
}

/// Brings models into memory, as far as the memory goes.
struct ModelLoader {
    private let configuration: Configuration

    init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    /// Starts the threads that compute; they inherit the niceness of the calling thread.
    func makeOperations() -> EngineOperations {
        let threads = configuration.engine.threads
        let pool = WorkerPool(threadCount: threads > 0 ? threads : MachineLimits.threadCount())
        return EngineOperations(pool: pool)
    }

    /// Looks whether a model can be loaded at all, by its header and size.
    ///
    /// - Parameters:
    ///   - model: Which one.
    ///   - available: What it could have if all that is idle went, in bytes.
    ///   - limit: What it could have if nothing were in use, in bytes.
    /// - Returns: What it will take.
    /// - Throws: `modelUnusable`, `outOfMemory` with figures.
    func check(_ model: ModelFile, available: Int, limit: Int) throws(AssistantError) -> MemoryPlan {
        let (weights, configuration): (Int, LlamaConfiguration)
        do {
            let checkpoint = try Checkpoint.open(model.path)
            (weights, configuration) = (checkpoint.byteCount, try LlamaConfiguration(checkpoint))
        } catch {
            throw .modelUnusable(model, error)
        }
        return try MemoryPlan(
            weights: weights, configuration: configuration, chat: chat, available: available, limit: limit,
            model: model.name)
    }

    /// Loads the model that a request asks for and reports the progress to it.
    ///
    /// - Throws: `modelUnusable`, `cancelled`.
    func load(
        _ plan: MemoryPlan, for request: EngineRequest, residence: Residence, operations: Operations
    ) throws(AssistantError) -> ResidentModel {
        request.send(.loading(fraction: 0))
        do {
            var last = ContinuousClock.now
            let model = try LlamaModel.load(
                request.model.path, operations: operations,
                progress: { fraction in
                    guard ContinuousClock.now - last >= .milliseconds(100) else { return }
                    last = .now
                    request.send(.loading(fraction: fraction))
                },
                checkpoint: { () throws(Interrupted) in if request.isCancelled { throw Interrupted() } })
            request.send(.loading(fraction: 1))
            return ResidentModel(
                file: request.model, model: model, residence: residence, plan: plan, chat: chat)
        } catch is Interrupted {
            throw AssistantError(.cancelled, "The request was cancelled while its model was loaded.")
        } catch {
            throw .modelUnusable(request.model, error)
        }
    }

    private var chat: Configuration.Chat { configuration.chat }
}

extension AssistantError {
    /// An error of the engine about a model's file.
    static func modelUnusable(_ model: ModelFile, _ error: any Error) -> AssistantError {
        AssistantError(.modelUnusable, "The model \(model.name) cannot be used: \(error)", parameter: "model")
    }
}

/// How much context a model gets, by its own length, the configuration and the memory there is.
struct MemoryPlan: Equatable {
    /// In tokens.
    let contextLength: Int
    /// What the keys and values of one token take in all layers, in bytes.
    let bytesPerToken: Int
    /// Of the model's files, in bytes.
    let weights: Int
    /// Without so many bytes the model is not loaded: its weights, and a context that is of use.
    let needed: Int

    /// - Parameters:
    ///   - weights: The size of the model's files, in bytes.
    ///   - modelLength: The longest context that the model was made for, in tokens.
    ///   - bytesPerToken: What the keys and values of one token take, in bytes.
    ///   - chat: The context and cache that the configuration asks for.
    ///   - available: The memory that can be had, in bytes; `nil` when unknown.
    ///   - limit: What could be had if nothing else were in use, in bytes.
    ///   - model: The model's name, for the refusal.
    ///   - leastContext: The model is refused when its weights and a context of this many tokens don't fit.
    /// - Throws: `outOfMemory` with figures.
    init(
        weights: Int, modelLength: Int, bytesPerToken: Int, chat: Configuration.Chat, available: Int?,
        limit: Int = .max, model: String, leastContext: Int = 2048
    ) throws(AssistantError) {
        let bytesPerToken = max(1, bytesPerToken)
        self.bytesPerToken = bytesPerToken
        self.weights = weights
        let wanted = chat.contextLength > 0 ? min(chat.contextLength, modelLength) : modelLength
        let room = available.map { max(0, $0 - weights) / bytesPerToken } ?? Int.max
        let least = chat.contextLength > 0 ? wanted : min(wanted, leastContext)
        needed = weights + least * bytesPerToken
        guard room >= least else {
            throw Self.refusal(
                model: model, weights: weights, cache: least * bytesPerToken, context: least,
                available: available ?? 0, isTemporary: needed <= limit)
        }
        let budget = max(least, chat.cacheMemory / bytesPerToken)
        contextLength = chat.contextLength > 0 ? wanted : min(wanted, room, budget)
    }

    private static func refusal(
        model: String, weights: Int, cache: Int, context: Int, available: Int, isTemporary: Bool
    ) -> AssistantError {
        AssistantError(
            .outOfMemory,
            "The model \(model) needs \(weights.mebibytes) for its weights and \(cache.mebibytes) for a context "
                + "of \(context) tokens, but only \(available.mebibytes) of memory are available. "
                + "Take a smaller model or stronger quantization, or a shorter chat.context_length.",
            parameter: "model", retryAfter: isTemporary ? 30 : nil)
    }
}

extension MemoryPlan {
    init(
        weights: Int, configuration: LlamaConfiguration, chat: Configuration.Chat, available: Int?,
        limit: Int, model: String
    ) throws(AssistantError) {
        let bytes = AttentionCache.bytesPerPosition(
            kvHeadCount: configuration.kvHeadCount, headDim: configuration.headDim,
            precision: AttentionCache.Precision(chat.kvCache))
        try self.init(
            weights: weights, modelLength: configuration.contextLength,
            bytesPerToken: bytes * configuration.layerCount,
            chat: chat, available: available, limit: limit, model: model)
    }
}
