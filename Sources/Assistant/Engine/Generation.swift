import AssistantAPI
import Grammars
import Llama
import Tensors
import Tokenizers

/// One request being answered: its prompt is evaluated chunk by chunk, then each step makes one token.
///
/// The engine drives it. It stops at the end of the context with the finish reason `length` and a notice,
/// rather than throwing out the beginning and evaluating everything again in the middle of an answer.
final class Generation {
    enum Phase { case prefill, decode, finished }

    let request: EngineRequest
    let prompt: [Int32]
    private(set) var cache: KVCache
    private(set) var phase = Phase.prefill
    private let model: LlamaModel
    private let chunk: Int
    private var sampler: Sampler
    private var constraint: TokenConstraint?
    /// For as long as the answer may have calls that it need not have.
    private var watch: CallWatch?
    private var text: AnswerText
    private var calls: ToolCallParser?
    private var echo: EchoText
    private let stopTokens: Set<Int32>
    /// The tokens that penalties look at: the prompt and what was generated.
    private var recent: [Int32]
    private var generatedCount = 0
    /// The token that ended the answer.
    private var turnEnd: Int32?
    private let cachedCount: Int
    /// Of those, the tokens that had been evaluated before the message was sent.
    let aheadCount: Int
    private var finish = FinishReason.stop
    private var clock: RequestClock
    private var lastProgress: ContinuousClock.Instant

    /// Takes a `beginning` that holds the first tokens of the prompt, and never all of them.
    ///
    /// `chunk` tokens of the prompt are evaluated in one step.
    init(
        _ request: EngineRequest, model: LlamaModel, prompt: [Int32], beginning: ResidentModel.Beginning,
        chunk: Int, constraint: TokenConstraint? = nil, clock: RequestClock
    ) {
        self.request = request
        self.model = model
        self.prompt = prompt
        cache = beginning.cache
        aheadCount = beginning.aheadCount
        self.chunk = chunk
        self.clock = clock
        cachedCount = cache.tokens.count
        sampler = Sampler(request.plan.sampling)
        if let constraint, let use = request.plan.toolUse, request.plan.constraint?.isLazy == true {
            watch = CallWatch(use, constraint, tokenizer: model.tokenizer)
        } else {
            self.constraint = constraint
        }
        let stops = request.isChat ? model.chatFormat.stopStrings : []
        text = AnswerText(model.tokenizer, stops: request.plan.stop + stops, continuesText: !request.isChat)
        calls = request.plan.toolUse.map { ToolCallParser($0) }
        echo = EchoText(model.tokenizer, alternatives: request.plan.alternatives)
        stopTokens = model.stopTokens(isChat: request.isChat)
        recent = prompt
        lastProgress = .now
    }

    /// Evaluates one chunk of the prompt or makes one token.
    ///
    /// - Returns: whether there is more to do.
    func step() throws(AssistantError) -> Bool {
        if request.isCancelled { stop(.cancelled) }
        do {
            switch phase {
            case .prefill: try prefillChunk()
            case .decode: try decodeToken()
            case .finished: break
            }
        } catch is Interrupted {
            stop(.cancelled)
        } catch let error as GrammarError {
            throw request.plan.constraint?.source.error("\(error).") ?? .modelUnusable(request.model, error)
        } catch {
            // Numbers that are none, for one: the file passed every check, and is damaged all the same.
            throw .modelUnusable(request.model, error)
        }
        return phase != .finished
    }

    /// How it ended, and what it took.
    var summary: CompletionSummary {
        let usage = Usage(
            promptTokens: prompt.count, cachedTokens: cachedCount, completionTokens: generatedCount)
        return CompletionSummary(
            finish: finish, usage: usage, timings: clock.timings(),
            tokens: request.plan.reportsTokens ? recent + [turnEnd].compactMap(\.self) : nil,
            stoppingWord: text.stoppingWord)
    }

    // MARK: - Prefill

    private func prefillChunk() throws {
        let start = cache.tokens.count
        if start == cachedCount { report(processed: start) }
        // Chunks end at multiples of their size, so that the same prompt is always cut in the same places.
        let end = min(prompt.count, (start / chunk + 1) * chunk)
        let tokens = Array(prompt[start..<end])
        let request = request
        let check = { () throws(Interrupted) in
            if request.isCancelled { throw Interrupted() }
            self.reportIfDue(processed: start)
        }
        if request.plan.scoresPrompt {
            try prefillEchoing(tokens, at: start, isLast: end == prompt.count, check: check)
        } else {
            let logits = try model.prefill(tokens, cache: &cache, checkpoint: check) { _ in }
            report(processed: end)
            if end < prompt.count { return }
            if request.plan.echo {
                for token in prompt { request.send(.echo(try echo.piece(token))) }
            }
            try beginAnswer(logits.row)
        }
    }

    /// Evaluates a chunk with the logits of every position, each of which scores the token after it.
    private func prefillEchoing(
        _ tokens: [Int32], at start: Int, isLast: Bool, check: InterruptionCheck
    ) throws {
        if start == 0 { request.send(.echo(try echo.piece(prompt[0]))) }
        var last: [Float] = []
        var failure: (any Error)?
        try model.prefillAllLogits(tokens, cache: &cache, checkpoint: check) { index, logits in
            let next = start + index + 1
            guard next < prompt.count else { return last = Array(logits.row) }
            do {
                request.send(.echo(try echo.piece(prompt[next], logits: logits.row)))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        report(processed: start + tokens.count)
        if isLast { try last.withUnsafeBufferPointer { try beginAnswer($0) } }
    }

    private func report(processed: Int) {
        lastProgress = .now
        request.send(
            .prefill(
                PrefillProgress(
                    total: prompt.count, cached: cachedCount, processed: processed,
                    milliseconds: clock.prefillMilliseconds())))
    }

    private func reportIfDue(processed: Int) {
        if ContinuousClock.now - lastProgress >= .milliseconds(100) { report(processed: processed) }
    }

    // MARK: - Decode

    private func beginAnswer(_ logits: UnsafeBufferPointer<Float>) throws {
        clock.prefillEnded()
        phase = .decode
        if request.plan.maxTokens == 0 { return stop(.length) }
        if isComplete { return stop(.stop) }
        try choose(from: logits)
    }

    private func decodeToken() throws {
        guard let last = recent.last else { return stop(.stop) }
        let request = request
        let logits = try model.decode(last, cache: &cache) { () throws(Interrupted) in
            if request.isCancelled { throw Interrupted() }
        }
        try choose(from: logits.row)
    }

    /// Samples the next token and tells it.
    private func choose(from logits: UnsafeBufferPointer<Float>) throws {
        let token = try sample(logits)
        if stopTokens.contains(token) {
            turnEnd = token
            try tellEnd(token, logits)
            return stop(.stop)
        }
        generatedCount += 1
        recent.append(token)
        clock.tokenMade()
        try tell(token, logits)
    }

    private func sample(_ logits: UnsafeBufferPointer<Float>) throws -> Int32 {
        // Taken out meanwhile: its caches must have one owner while they grow.
        guard var constraint else { return try watched(try sampler.sample(logits, recent: recent), logits) }
        self.constraint = nil
        defer { self.constraint = constraint }
        let token = try sampler.sample(logits, recent: recent, within: &constraint)
        try constraint.accept(token)
        return token
    }

    /// A token that was just picked, or another one where it would spoil a call.
    private func watched(_ token: Int32, _ logits: UnsafeBufferPointer<Float>) throws -> Int32 {
        guard var watch else { return token }
        self.watch = nil
        let next: Int32
        do {
            next = try watch.next(token, of: logits, &sampler)
        } catch is GrammarError {
            // What cannot be followed any more is left to the model, as if nobody had watched.
            return token
        }
        if !watch.isOver { self.watch = watch }
        return next
    }

    /// Whether the grammar allows nothing more.
    private var isComplete: Bool { constraint?.mustEnd ?? false }

    /// Tells what text was held back.
    ///
    /// In a plain completion with probabilities the token that ended it is told too: a harness that scores a
    /// prompt asks for one token more and leaves the last one out, whichever it is.
    private func tellEnd(_ token: Int32, _ logits: UnsafeBufferPointer<Float>) throws {
        var piece = TokenPiece(id: token, text: text.finish(), bytes: [])
        findCalls(in: &piece, isLast: true)
        if !request.isChat, let count = request.plan.alternatives {
            piece.bytes = model.tokenizer.bytes(of: token, rendersSpecial: true)
            piece.score(with: try LogProbabilities(logits), alternatives: count, tokenizer: model.tokenizer)
        } else if piece.text.isEmpty, piece.calls == nil {
            return
        }
        request.send(.token(piece))
    }

    /// Takes calls of functions out of a piece's text.
    private func findCalls(in piece: inout TokenPiece, isLast: Bool) {
        guard var parser = calls else { return }
        let found = parser.append(piece.text, isLast: isLast)
        calls = parser
        piece.text = found.text
        piece.calls = found.calls.isEmpty ? nil : found.calls
    }

    private func tell(_ token: Int32, _ logits: UnsafeBufferPointer<Float>) throws {
        let isLast = generatedCount == request.plan.maxTokens
        let isFull = cache.tokens.count >= cache.capacity
        var piece = TokenPiece(id: token, text: text.append(token), bytes: model.tokenizer.bytes(of: token))
        let isEnd = isLast || isFull || isComplete
        if isEnd && !text.isStopped { piece.text += text.finish() }
        findCalls(in: &piece, isLast: isEnd || text.isStopped)
        if let count = request.plan.alternatives {
            piece.score(with: try LogProbabilities(logits), alternatives: count, tokenizer: model.tokenizer)
        }
        request.send(.token(piece))
        if text.isStopped || isComplete {
            stop(.stop)
        } else if isLast {
            stop(.length)
        } else if isFull {
            request.send(.notice(fullNotice))
            stop(.length)
        }
    }

    private var fullNotice: Notice {
        Notice(
            code: "truncated",
            message: "The answer ends here because the model's context of \(cache.capacity) tokens is full.")
    }

    private func stop(_ reason: FinishReason) {
        finish = reason
        phase = .finished
    }
}

extension TokenPiece {
    /// Adds the token's own probability and those of the likeliest ones.
    mutating func score(with probabilities: LogProbabilities, alternatives count: Int, tokenizer: Tokenizer) {
        logprob = Double(probabilities[id])
        alternatives = probabilities.top(count).map {
            Alternative(
                id: $0.id, bytes: tokenizer.bytes(of: $0.id, rendersSpecial: true),
                logprob: Double($0.logprob))
        }
    }
}

extension Tensor {
    /// The logits of one position, `[vocabulary]`.
    fileprivate var row: UnsafeBufferPointer<Float> { UnsafeBufferPointer(floats) }
}
