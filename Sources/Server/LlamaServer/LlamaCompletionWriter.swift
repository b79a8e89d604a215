import AssistantAPI

/// Puts completions into llama-server's native shape, whole or as events.
struct LlamaCompletionWriter: EventWriter {
    private let call: LlamaCompletionCall
    /// The prompts' texts, as they were read.
    private let prompts: [String]
    private let settings: JSON
    private var answer = Progress()

    /// How far the answer is that is being made.
    private struct Progress: Sendable {
        var model = ""
        var prefill: PrefillProgress?
        var decodeBegin: ContinuousClock.Instant?
        var tokenCount = 0
        var hasNewLine = false
        var notices: [Notice] = []

        /// What it took so far; what went before its turn is told at the end.
        var timings: JSON {
            let usage = Usage(
                promptTokens: prefill?.total ?? 0, cachedTokens: prefill?.cached ?? 0,
                completionTokens: tokenCount)
            let decode = decodeBegin.map { (ContinuousClock.now - $0) / .milliseconds(1) } ?? 0
            let timings = Timings(
                queued: 0, loading: 0, prefill: prefill?.milliseconds ?? 0, decode: decode, firstToken: 0)
            return AnswerFrame.timings(usage, timings)
        }
    }

    /// - Parameters:
    ///   - call: What is asked.
    ///   - prompts: The prompts' texts, as they were read.
    ///   - settings: `generation_settings`.
    init(_ call: LlamaCompletionCall, prompts: [String], settings: JSON) {
        self.call = call
        self.prompts = prompts
        self.settings = settings
    }

    // MARK: - Streamed

    func commits(_ event: IndexedCompletionEvent) -> Bool { event.event.showsProgress }

    mutating func text(for event: IndexedCompletionEvent) throws -> String {
        switch event.event {
        case .queued, .loading, .echo: return ""
        case .started(let model):
            answer = Progress()
            answer.model = model
            return ""
        case .notice(let notice):
            answer.notices.append(notice)
            return ""
        case .prefill(let progress):
            answer.prefill = progress
            answer.decodeBegin = .now
            return call.reportsProgress
                ? part(event.index, extras: [("prompt_progress", Self.progress(progress))]) : ""
        case .token(let piece):
            answer.tokenCount += 1
            if piece.text.hasNewLine { answer.hasNewLine = true }
            return part(event.index, piece)
        case .completed(let summary):
            let result = LlamaCompletionResult(
                index: event.index, model: answer.model, prompt: prompt(event.index),
                hasNewLine: answer.hasNewLine, notices: answer.notices, summary: summary)
            return ServerSentEvent.text(data: try result.json(call, settings: settings).text)
        }
    }

    mutating func text(for failure: Failure, _ error: any Error) throws -> String {
        ServerSentEvent.text(data: ErrorShape.llamaServer.body(of: failure).text)
    }

    mutating func end() -> String { "" }

    private func part(_ index: Int, _ piece: TokenPiece? = nil, extras: [(String, JSON)] = []) -> String {
        var members: [(String, JSON)] = [
            ("index", JSON(index)), ("content", .string(piece?.text ?? "")),
            ("tokens", .array(piece.map { [JSON(Int($0.id))] } ?? [])), ("stop", false), ("id_slot", -1),
            ("tokens_predicted", JSON(answer.tokenCount)),
            ("tokens_evaluated", JSON(answer.prefill?.total ?? 0)),
        ]
        if call.reportsTimings { members.append(("timings", answer.timings)) }
        if call.request.logprobs != nil, let piece {
            let list = LlamaCompletionResult.probabilities([piece])
            members.append(("completion_probabilities", .array(list)))
        }
        return ServerSentEvent.text(data: JSON(members + extras).text)
    }

    private static func progress(_ progress: PrefillProgress) -> JSON {
        [
            "total": JSON(progress.total), "cache": JSON(progress.cached),
            "processed": JSON(progress.processed), "time_ms": JSON(progress.milliseconds),
        ]
    }

    /// The prompt of an answer; each has as many answers as were asked for.
    private func prompt(_ index: Int) -> String { prompts[index / call.count] }

    // MARK: - Whole

    /// The answers, for clients that don't stream: one as an object, several as an array.
    ///
    /// - Throws: `Failure` for an answer that was cut off.
    func whole(_ completions: [CollectedCompletion]) throws(Failure) -> JSON {
        var answers: [JSON] = []
        for (index, completion) in completions.enumerated() {
            let (summary, text) = (completion.summary, completion.text)
            let result = LlamaCompletionResult(
                index: index, content: text,
                tokens: Array((summary.tokens ?? []).dropFirst(summary.usage.promptTokens)),
                model: completion.model, prompt: prompt(index), hasNewLine: text.hasNewLine,
                notices: completion.notices, summary: summary,
                probabilities: completion.reportsProbabilities ? completion.pieces : nil)
            answers.append(try result.json(call, settings: settings))
        }
        return answers.count == 1 ? answers[0] : .array(answers)
    }
}

extension String {
    fileprivate var hasNewLine: Bool { utf8.contains(UInt8(ascii: "\n")) }
}
