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

    /// What a model's header says about the memory that it takes.
    struct Candidate {
        fileprivate var weights: Int
        fileprivate var sizes: LlamaConfiguration
    }

    /// Looks whether a model can be loaded at all, by its header and size, once `bytes` of memory were freed.
    ///
    /// - Throws: `modelUnusable`, `outOfMemory` with figures.
    func check(_ model: ModelFile, freeing bytes: Int) throws(AssistantError) -> Candidate {
        let candidate: Candidate
        do {
            let checkpoint = try Checkpoint.open(model.path)
            candidate = Candidate(weights: checkpoint.byteCount, sizes: try LlamaConfiguration(checkpoint))
        } catch {
            throw .modelUnusable(model, error)
        }
        _ = try plan(candidate, model, available: MachineLimits.availableMemory().map { $0 + bytes })
        return candidate
    }

    /// Loads the model that a request asks for and reports the progress to it.
    ///
    /// - Throws: `modelUnusable`, `outOfMemory` with figures, `cancelled`.
    func load(
        _ candidate: Candidate, for request: EngineRequest, operations: Operations
    ) throws(AssistantError) -> ResidentModel {
        request.send(.loading(fraction: 0))
        let plan = try plan(candidate, request.model, available: MachineLimits.availableMemory())
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
            return ResidentModel(file: request.model, model: model, plan: plan, chat: configuration.chat)
        } catch is Interrupted {
            throw AssistantError(.cancelled, "The request was cancelled while its model was loaded.")
        } catch {
            throw .modelUnusable(request.model, error)
        }
    }

    private func plan(
        _ candidate: Candidate, _ model: ModelFile, available: Int?
    ) throws(AssistantError) -> MemoryPlan {
        try MemoryPlan(
            weights: candidate.weights, configuration: candidate.sizes, chat: configuration.chat,
            available: available, model: model.name)
    }
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

    /// - Parameters:
    ///   - weights: The size of the model's files, in bytes.
    ///   - modelLength: The longest context that the model was made for, in tokens.
    ///   - bytesPerToken: What the keys and values of one token take, in bytes.
    ///   - chat: The context and cache that the configuration asks for.
    ///   - available: The memory that can be had, in bytes; `nil` when unknown.
    ///   - model: The model's name, for the refusal.
    ///   - leastContext: The model is refused when its weights and a context of this many tokens don't fit.
    /// - Throws: `outOfMemory` with figures.
    init(
        weights: Int, modelLength: Int, bytesPerToken: Int, chat: Configuration.Chat, available: Int?,
        model: String, leastContext: Int = 2048
    ) throws(AssistantError) {
        let bytesPerToken = max(1, bytesPerToken)
        self.bytesPerToken = bytesPerToken
        let wanted = chat.contextLength > 0 ? min(chat.contextLength, modelLength) : modelLength
        let room = available.map { max(0, $0 - weights) / bytesPerToken } ?? Int.max
        let least = chat.contextLength > 0 ? wanted : min(wanted, leastContext)
        guard room >= least else {
            throw Self.refusal(
                model: model, weights: weights, cache: least * bytesPerToken, context: least,
                available: available ?? 0)
        }
        let budget = max(least, chat.cacheMemory / bytesPerToken)
        contextLength = chat.contextLength > 0 ? wanted : min(wanted, room, budget)
    }

    private static func refusal(
        model: String, weights: Int, cache: Int, context: Int, available: Int
    ) -> AssistantError {
        AssistantError(
            .outOfMemory,
            "The model \(model) needs \(mebibytes(weights)) for its weights and \(mebibytes(cache)) for a context "
                + "of \(context) tokens, but only \(mebibytes(available)) of memory are available. "
                + "Take a smaller model or stronger quantization, or a shorter chat.context_length.",
            parameter: "model")
    }

    private static func mebibytes(_ bytes: Int) -> String { "\((bytes + (1 << 20) - 1) >> 20) MiB" }
}

extension MemoryPlan {
    init(
        weights: Int, configuration: LlamaConfiguration, chat: Configuration.Chat, available: Int?,
        model: String
    ) throws(AssistantError) {
        let bytes = AttentionCache.bytesPerPosition(
            kvHeadCount: configuration.kvHeadCount, headDim: configuration.headDim,
            precision: AttentionCache.Precision(chat.kvCache))
        try self.init(
            weights: weights, modelLength: configuration.contextLength,
            bytesPerToken: bytes * configuration.layerCount,
            chat: chat, available: available, model: model)
    }
}
