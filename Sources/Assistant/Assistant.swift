public import AssistantAPI
import FoundationEssentials
import Glibc
public import History
public import Logging
public import ModelHub
public import Settings
import StableDiffusion
import Synchronization
import Tokenizers

/// The assistant: models that answer and paint, and conversations and pictures that are kept.
///
/// For example:
/// ```swift
/// let assistant = try Assistant(configuration: configuration, paths: paths, history: history, logger: logger)
/// for try await event in assistant.complete(CompletionRequest(prompt: .text("Once upon a time"))) { … }
/// await assistant.shutDown(within: .seconds(10))
/// ```
public final class Assistant: Sendable {
    /// The conversations, with their answers.
    public let conversations: ConversationService
    /// The pictures, as they are made and kept.
    public let pictures: PictureService
    /// The responses of OpenAI's API, which know those before them.
    public let responses: ResponseService
    /// The pictures that follow what is typed.
    public let canvases: CanvasService
    /// Quantised copies of models.
    public let quantizations: QuantizationService
    let core: CompletionCore
    let pictureCore: PictureCore
    let history: HistoryStore
    let machine: MachineThread
    /// The folder of models that are made here.
    let newModels: String
    let pulls: ModelPulls
    let records: ModelRecords
    let known: KnownModels
    private let tokenizers = TokenizerStore()
    private let details = ModelDetails()

    /// Starts the engine's thread; no model is loaded before the first request.
    public convenience init(
        configuration: Configuration, paths: Paths, hub: HubAccess, history: HistoryStore, logger: Logger
    ) throws {
        try self.init(
            configuration: configuration, paths: paths, hub: hub, history: history, painters: .files,
            logger: logger)
    }

    /// The same with picture models from elsewhere than the disk, for tests.
    init(
        configuration: Configuration, paths: Paths, hub: HubAccess = HubAccess(), history: HistoryStore,
        painters: PainterSource,
        clock: any Clock<Duration> = ContinuousClock(),
        availableMemory: @escaping @Sendable () -> Int? = MachineLimits.availableMemory, logger: Logger
    ) throws {
        let records = ModelRecords(path: paths.modelRecords)
        let known = KnownModels(files: paths.shippedCatalogue)
        (self.records, self.known) = (records, known)
        let stores: [any ModelStore] = paths.ollamaStores.map { OllamaStore(folder: $0) }
        let caches: [any ModelStore] = paths.hubCaches.map { HubCache(folder: $0) }
        let catalog = ModelCatalog(
            directories: configuration.models.directories + [paths.models], own: paths.models,
            shipped: paths.shippedModels, stores: stores + caches, records: records,
            defaultModel: configuration.chat.model,
            defaultPictureModel: configuration.picture.model)
        let clock = CanvasClock(clock)
        self.history = history
        machine = MachineThread(configuration.engine)
        newModels = paths.models
        var engineConfiguration = configuration
        // A name that is none yet may be one later, of a model that is pulled.
        engineConfiguration.memory.pinned = configuration.memory.pinned.map {
            (try? catalog.resolveAny($0))?.name ?? $0
        }
        let engine = Engine(
            engineConfiguration, painters: painters, clock: clock, availableMemory: availableMemory)
        let core = CompletionCore(configuration, catalog: catalog, engine: engine)
        self.core = core
        let pictureCore = PictureCore(catalog: catalog, engine: engine, source: painters)
        self.pictureCore = pictureCore
        pictures = PictureService(
            history: history, engine: pictureCore.pictureEngine,
            defaultFormat: PictureFormat(configuration.picture.format), logger: logger)
        conversations = ConversationService(
            history: history, engine: core.answerEngine(pictures: pictures),
            defaultSystem: configuration.chat.system, defaultPictures: configuration.chat.pictures,
            undo: .seconds(configuration.history.undoSeconds), logger: logger)
        responses = ResponseService(history: history, core: core, pictures: pictures, logger: logger)
        canvases = CanvasService(
            engine: pictureCore.frameEngine, keeping: pictures.keeping, conversations: conversations,
            settings: configuration.live, clock: clock)
        pulls = ModelPulls(
            access: hub, models: paths.models, downloads: paths.downloads,
            records: records, shortNames: { known.reference(of: $0) })
        engine.memory.count(canvases)
        quantizations = QuantizationService(
            catalog: catalog, models: paths.models, threads: configuration.engine.threads)
    }

    // MARK: - Completions

    /// Completes a prompt; the events come in the order that `CompletionEvent` documents.
    ///
    /// A consumer that leaves stops the work within one token.
    ///
    /// - Parameters:
    ///   - request: What is asked.
    ///   - client: Who asks: requests of one client are answered in order, clients take turns.
    /// - Returns: A stream whose errors are `AssistantError`s.
    public func complete(
        _ request: CompletionRequest, client: String = ""
    ) -> AsyncThrowingStream<CompletionEvent, any Error> {
        do throws(AssistantError) {
            return try core.start(request, lane: client, owner: nil).events
        } catch {
            return AsyncThrowingStream { $0.finish(throwing: error) }
        }
    }

    /// Words for a picture with more of them behind, as a chat model would add them: surroundings, light, style.
    ///
    /// Leaving stops the work within one token.
    ///
    /// - Parameters:
    ///   - prompt: What a person typed.
    ///   - client: Who asks.
    /// - Returns: The person's words, and what the model adds.
    /// - Throws: `invalidRequest`, and what a completion throws.
    public func enrich(_ prompt: PromptText, client: String = "") async throws -> PromptText {
        let enrichment = try PromptEnrichment(prompt.text)
        var answer = ""
        for try await event in complete(enrichment.request(model: prompt.model), client: client) {
            if case .token(let token) = event { answer += token.text }
        }
        try Task.checkCancellation()
        return PromptText(text: enrichment.result(answer))
    }

    // MARK: - Models

    /// The models there are, by name; those whose files cannot be read have no details.
    public func models() async -> [ModelSummary] {
        let models = core.refreshNames().compactMap { model -> ModelSummary? in
            if let summary = try? summary(of: model) { return summary }
            // Of what other programs keep only that counts which can be used here.
            if model.source.isForeign { return nil }
            return ModelSummary(
                id: model.name, path: model.path, kind: model.kind, state: core.state(of: model), bytes: 0,
                source: model.source)
        }
        return models + aliases(of: models)
    }

    /// The other names that people gave to these.
    private func aliases(of models: [ModelSummary]) -> [ModelSummary] {
        records.aliases.sorted { $0.key < $1.key }.compactMap { alias, name in
            guard var model = models.first(where: { $0.id == name }) else { return nil }
            (model.id, model.aliasOf) = (alias, name)
            return model
        }
    }

    /// One model by its name or absolute path.
    ///
    /// - Throws: `modelNotFound`, `modelUnusable`.
    public func model(_ name: String) async throws -> ModelSummary {
        try checkedSummary(of: core.catalog.resolveAny(name))
    }

    /// The model that answers requests for `name`; `nil` means the default one.
    ///
    /// - Throws: `modelNotFound`, `modelUnusable`; `invalidRequest` for a model that paints.
    public func chatModel(_ name: String?) async throws -> ModelSummary {
        try checkedSummary(of: core.catalog.resolve(name))
    }

    private func checkedSummary(of model: ModelFile) throws(AssistantError) -> ModelSummary {
        do {
            return try summary(of: model)
        } catch {
            throw AssistantError.modelUnusable(model, error)
        }
    }

    /// What a model of this name makes; a name or an absolute path.
    ///
    /// - Throws: `modelNotFound`.
    public func kind(of name: String) throws(AssistantError) -> ModelSummary.Kind {
        try core.catalog.resolveAny(name).kind
    }

    /// The public name of a model that paints; `nil` means the default one.
    ///
    /// - Throws: `modelNotFound`; `invalidRequest` for a model that answers.
    public func pictureModel(_ name: String?) throws(AssistantError) -> String {
        try core.catalog.resolve(name, kind: .picture).name
    }

    private func summary(of model: ModelFile) throws -> ModelSummary {
        var summary = ModelSummary(
            id: model.name, path: model.path, kind: model.kind, state: core.state(of: model), bytes: 0,
            source: model.source)
        switch model.kind {
        case .chat:
            let entry = try details.entry(of: model)
            (summary.bytes, summary.details) = (entry.bytes, entry.details)
        case .picture:
            let info = try pictureCore.info(of: model)
            summary.bytes = info.byteCount
            summary.pictureDetails = ModelSummary.PictureDetails(info)
        }
        return summary
    }

    // MARK: - Tokens

    /// The tokens of a text, without waiting for the engine.
    ///
    /// - Parameters:
    ///   - model: A name or absolute path; `nil` means the default model. It need not be loaded.
    ///   - content: The text.
    ///   - addSpecial: Puts the model's begin-of-text token in front, where it has one.
    ///   - parseSpecial: Reads the text of control tokens as those tokens.
    /// - Returns: The tokens; a character that several make up is the text of the last of them.
    /// - Throws: `modelNotFound`, `modelUnusable`.
    public func tokenize(
        model: String?, content: String, addSpecial: Bool, parseSpecial: Bool
    ) async throws -> [TokenPiece] {
        let tokenizer = try tokenizer(of: model)
        var tokens = tokenizer.encode(content, parsingSpecial: parseSpecial)
        if addSpecial, tokenizer.addsBOS, let bos = tokenizer.bos { tokens.insert(bos, at: 0) }
        var decoder = TokenDecoder(tokenizer, continuing: true)
        return tokens.map { token in
            TokenPiece(
                id: token, text: decoder.append(token),
                bytes: tokenizer.bytes(of: token, rendersSpecial: true))
        }
    }

    /// A prompt that somebody wrote with all of its control tokens, which begins the sequence by itself or not.
    ///
    /// - Throws: `modelNotFound`, `modelUnusable`.
    public func promptTokens(of text: String, model: String?) async throws -> [Int32] {
        let tokenizer = try tokenizer(of: model)
        let tokens = tokenizer.encode(text, parsingSpecial: true)
        guard tokenizer.addsBOS, let bos = tokenizer.bos, tokens.first != bos else { return tokens }
        return [bos] + tokens
    }

    /// The text of tokens, without waiting for the engine; bytes that are no UTF-8 become U+FFFD.
    ///
    /// - Throws: `invalidRequest` for a token that the vocabulary doesn't have.
    public func detokenize(model: String?, tokens: [Int32]) async throws -> String {
        let tokenizer = try tokenizer(of: model)
        if let unknown = tokens.first(where: { $0 < 0 || Int($0) >= tokenizer.vocabularySize }) {
            throw AssistantError(
                .invalidRequest,
                "There is no token \(unknown); the vocabulary has 0 to \(tokenizer.vocabularySize - 1).",
                parameter: "tokens")
        }
        return String(decoding: tokenizer.decode(tokens, rendersSpecial: true), as: UTF8.self)
    }

    func tokenizer(of name: String?) throws -> Tokenizer {
        let model = try core.catalog.resolve(name)
        if let tokenizer = core.engine.gate.resident(of: model)?.tokenizer { return tokenizer }
        do {
            return try tokenizers.tokenizer(of: model)
        } catch {
            throw AssistantError.modelUnusable(model, error)
        }
    }

    // MARK: - State

    /// The daemon's state at this moment; it waits for nothing, whatever the engine does.
    public func health() -> Health {
        var names = core.names
        for resident in core.engine.gate.residents where !names.contains(resident.model) {
            names.append(resident.model)
        }
        let models = names.map { Health.Model(id: $0.name, state: core.state(of: $0)) }
        return Health(status: "ok", version: Inkling.version, pid: getpid(), models: models)
    }

    /// Ends what would go on for as long as somebody looks: the canvases.
    ///
    /// Pictures that are being kept are finished.
    public func closeCanvases() { canvases.closeAll() }

    /// Ends: takes no more requests, lets running ones end within `limit`, stops the others, writes down what they
    /// said, and closes the history.
    public func shutDown(within limit: Duration) async {
        core.close()
        canvases.closeAll()
        await pulls.close()
        let (core, conversations, pictures, quantizations) = (core, conversations, pictures, quantizations)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await conversations.drain()
                await pictures.drain()
                await core.engine.gate.idle()
            }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            await conversations.stopAll()
            await pictures.stopAll()
            await quantizations.stopAll()
            core.engine.gate.cancelAll()
            group.cancelAll()
        }
        await core.engine.gate.idle()
        await conversations.close()
    }
}
