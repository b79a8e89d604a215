import AssistantAPI
import Grammars
import Llama
import Settings
import Tensors
import Tokenizers

/// A loaded model with the caches of the conversations that it lately answered in.
struct ResidentModel {
    let file: ModelFile
    let model: LlamaModel
    var residence: Residence
    /// How much of a prompt is evaluated in one step, in tokens.
    let chunk: Int
    private let stamp: FileStamp
    private let plan: MemoryPlan
    private let precision: AttentionCache.Precision
    var caches: CacheStore<KVCache>
    /// The vocabulary as grammars look at it; made for the first request that has one.
    private var trie: TokenTrie?

    init(
        file: ModelFile, model: LlamaModel, residence: Residence, plan: MemoryPlan, chat: Configuration.Chat
    ) {
        self.file = file
        self.model = model
        self.residence = residence
        self.plan = plan
        stamp = FileStamp(file.path)
        precision = AttentionCache.Precision(chat.kvCache)
        caches = CacheStore(budget: chat.cacheMemory)
        chunk = Self.chunk(parameterCount: model.parameterCount)
    }

    /// Whether its file is still the one that was loaded.
    var isCurrent: Bool { FileStamp(file.path) == stamp }

    /// Large models take short chunks, so that others need not wait long for their turn.
    ///
    /// It depends on nothing else: where a prompt is cut shows in the last bits of its logits.
    static func chunk(parameterCount: Int) -> Int {
        switch parameterCount {
        case ..<500_000_000: 128
        case ..<2_500_000_000: 64
        default: 32
        }
    }

    /// The longest sequence that it takes, in tokens.
    var contextLength: Int { plan.contextLength }

    // MARK: - Prompts

    /// A prompt that fits into the context, and what the user should know about it.
    struct Prompt {
        var tokens: [Int32]
        var notice: Notice?
    }

    /// A request's prompt as tokens, checked and fitted into the context.
    func prepare(_ request: EngineRequest) throws(AssistantError) -> Prompt {
        let window = ContextWindow(length: plan.contextLength, maxTokens: request.plan.maxTokens)
        switch request.prompt {
        case .chat(let messages):
            guard !messages.isEmpty else {
                throw AssistantError(
                    .invalidRequest, "There are no messages to answer.", parameter: "messages")
            }
            let fitted = try window.fit(messages) {
                continuing(request.context, with: encode($0, request.plan))
            }
            let notice = fitted.omitted > 0 ? ContextWindow.notice(omitted: fitted.omitted) : nil
            return Prompt(tokens: try checked(fitted.tokens, window), notice: notice)
        case .text, .tokens, .nothing:
            return Prompt(tokens: try checked(try tokens(of: request.prompt), window))
        }
    }

    /// Texts whose vectors are asked for as tokens, each of which fits into the context.
    func texts(of work: EmbeddingWork) throws(AssistantError) -> [[Int32]] {
        let window = ContextWindow(length: plan.contextLength, maxTokens: 0)
        var texts: [[Int32]] = []
        for input in work.inputs {
            var tokens = try tokens(of: input)
            if work.truncates { tokens = Array(tokens.prefix(plan.contextLength)) }
            texts.append(try checked(tokens, window))
        }
        guard let dimensions = work.dimensions, dimensions > model.configuration.hiddenSize else {
            return texts
        }
        throw AssistantError(
            .invalidRequest,
            "dimensions is \(dimensions), but this model's vectors have \(model.configuration.hiddenSize).",
            parameter: "dimensions")
    }

    /// A prompt without a chat as tokens.
    private func tokens(of prompt: CompletionRequest.Prompt) throws(AssistantError) -> [Int32] {
        switch prompt {
        case .text(let text):
            let start = model.tokenizer.addsBOS ? [model.tokenizer.bos].compactMap { $0 } : []
            return start + model.tokenizer.encode(text)
        case .tokens(let tokens): return tokens
        case .chat, .nothing:
            throw AssistantError(.invalidRequest, "There is no text.", parameter: "prompt")
        }
    }

    /// The prompt of a chat as tokens, as `prepare` fits it into the context.
    func fit(_ messages: [ChatMessage], plan request: GenerationPlan) throws(AssistantError) -> [Int32] {
        let window = ContextWindow(length: plan.contextLength, maxTokens: request.maxTokens)
        return try window.fit(messages) { encode($0, request) }.tokens
    }

    /// Tokens of an earlier answer with a chat behind, which then begins no sequence of its own.
    private func continuing(_ context: [Int32], with chat: [Int32]) -> [Int32] {
        guard !context.isEmpty else { return chat }
        let startsAnew = model.tokenizer.addsBOS && chat.first == model.tokenizer.bos
        return context + (startsAnew ? chat.dropFirst() : chat[...])
    }

    private func encode(_ messages: [ChatMessage], _ plan: GenerationPlan) -> [Int32] {
        model.chatFormat.encode(
            messages.map { ChatTurn($0) }, tools: plan.toolUse?.tools.map(\.definition) ?? [],
            tokenizer: model.tokenizer)
    }

    /// What keeps an answer within a request's grammar; nil where it has none.
    ///
    /// - Throws: `invalidRequest` for a grammar that cannot be followed.
    mutating func makeConstraint(for request: EngineRequest) throws(AssistantError) -> TokenConstraint? {
        guard let wanted = request.plan.constraint else { return nil }
        let tokenizer = model.tokenizer
        let trie = trie ?? TokenTrie(count: tokenizer.vocabularySize) { tokenizer.bytes(of: $0) }
        self.trie = trie
        do throws(GrammarError) {
            return try TokenConstraint(
                wanted.grammar, trie: trie, endTokens: model.stopTokens(isChat: request.isChat),
                dropsLeadingSpace: request.isChat && tokenizer.addsSpacePrefix)
        } catch {
            if wanted.isLazy { return nil }
            throw wanted.source.error("\(error).")
        }
    }

    private func checked(_ tokens: [Int32], _ window: ContextWindow) throws(AssistantError) -> [Int32] {
        guard !tokens.isEmpty else {
            throw AssistantError(.invalidRequest, "The prompt is empty.", parameter: "prompt")
        }
        let size = model.tokenizer.vocabularySize
        if let token = tokens.first(where: { $0 < 0 || Int($0) >= size }) {
            throw AssistantError(
                .invalidRequest,
                "The prompt has the token \(token), but the vocabulary only 0 to \(size - 1).",
                parameter: "prompt")
        }
        try window.check(tokens)
        return tokens
    }

    // MARK: - Caches

    /// What a running request will probably come to hold, or holds by now, in bytes.
    func expectedBytes(of running: any RunningRequest) -> Int {
        max(
            expectedBytes(prompt: running.promptCount, plan: running.request.plan),
            running.heldCount * plan.bytesPerToken)
    }

    /// What answering a prompt will probably come to hold, in bytes.
    func expectedBytes(of prompt: Prompt, _ request: EngineRequest) -> Int {
        expectedBytes(prompt: prompt.tokens.count, plan: request.plan)
    }

    /// Whether another generation fits into the caches' memory beside those that run.
    func hasRoom(for prompt: [Int32], request: EngineRequest, reserved: Int) -> Bool {
        reserved + expectedBytes(prompt: prompt.count, plan: request.plan) <= caches.budget
    }

    /// What a prompt and an answer of the usual length take, in bytes.
    private func expectedBytes(prompt: Int, plan request: GenerationPlan) -> Int {
        min(plan.contextLength, prompt + min(request.maxTokens ?? 1024, 1024)) * plan.bytesPerToken
    }

    /// A cache that holds the beginning of a prompt.
    struct Beginning {
        var cache: KVCache
        /// Where the tokens begin that were evaluated before their message was sent; `nil` where none were.
        var aheadFrom: Int?

        /// How many tokens were evaluated ahead.
        var aheadCount: Int { aheadFrom.map { cache.tokens.count - $0 } ?? 0 }
    }

    /// A cache that holds as much of the prompt's beginning as is still known, but never all of it.
    ///
    /// `reserved` is what the generations that run now will probably come to hold, in bytes.
    mutating func makeCache(for prompt: [Int32], request: EngineRequest, reserved: Int) -> Beginning {
        let needed = expectedBytes(prompt: prompt.count, plan: request.plan)
        let claim = request.plan.scoresPrompt ? .fresh : caches.claim(prompt, owner: request.owner)
        var cache: KVCache
        var aheadFrom: Int?
        switch claim {
        case .reuse(let entry, let shared):
            cache = entry.cache
            cache.truncate(to: PromptCut.start(shared: shared, count: prompt.count, chunk: chunk))
            aheadFrom = entry.aheadFrom.flatMap { $0 < cache.tokens.count ? $0 : nil }
        case .fork(let entry, let shared):
            cache = model.makeCache(capacity: plan.contextLength, precision: precision)
            let start = PromptCut.start(shared: shared, count: prompt.count, chunk: chunk)
            cache.copyPrefix(from: entry.cache, count: start)
        case .fresh:
            cache = model.makeCache(capacity: plan.contextLength, precision: precision)
        }
        _ = caches.makeRoom(for: reserved + needed)
        return Beginning(cache: cache, aheadFrom: aheadFrom)
    }

    /// Keeps a generation's cache for the next request that begins alike.
    ///
    /// The thousands of prompts that an evaluation scores would push the conversations' caches out, for nothing.
    mutating func keep(_ generation: Generation) {
        guard !generation.request.plan.scoresPrompt else { return }
        keep(generation.cache, owner: generation.request.owner)
    }

    /// Keeps a cache of the conversation's.
    mutating func keep(_ cache: KVCache, owner: String?, aheadFrom: Int? = nil) {
        _ = caches.keep(
            .init(
                cache: cache, tokens: cache.tokens, bytes: cache.byteCount, owner: owner,
                aheadFrom: aheadFrom))
    }

    /// Drops the caches of a conversation that is gone.
    mutating func forget(owner: String) {
        _ = caches.removeAll(of: owner)
    }
}

extension LlamaModel {
    /// Every token that ends an answer.
    func stopTokens(isChat: Bool) -> Set<Int32> {
        isChat ? tokenizer.endOfGeneration.union(chatFormat.stopTokens) : tokenizer.endOfGeneration
    }
}

extension AttentionCache.Precision {
    init(_ precision: Configuration.CachePrecision) {
        switch precision {
        case .f16: self = .f16
        case .q8: self = .q80
        }
    }
}
