import AssistantAPI

/// Puts one completion into the shapes of `POST /api/chat` and `POST /api/generate`, whole or as lines.
struct OllamaAnswerWriter: EventWriter {
    /// The two calls keep the text in different places.
    enum Place { case message, response }

    var format: StreamFormat { .lines }

    private let frame: OllamaFrame
    private let place: Place
    private let reportsProbabilities: Bool
    private var notices: [Notice] = []
    private var calls: [ToolCallPiece] = []

    init(_ call: OllamaCall, _ place: Place, reportsProbabilities: Bool = false) {
        frame = OllamaFrame(model: call.model)
        self.place = place
        self.reportsProbabilities = reportsProbabilities
    }

    func commits(_ event: CompletionEvent) -> Bool { event.showsProgress }

    mutating func text(for event: CompletionEvent) throws -> String {
        switch event {
        case .queued, .loading, .started, .prefill, .echo: return ""
        case .notice(let notice):
            notices.append(notice)
            return ""
        case .token(let piece):
            calls += piece.calls ?? []
            guard !piece.text.isEmpty || reportsProbabilities else { return "" }
            return frame.line([text(piece.text)] + probabilities([piece]))
        case .completed(let summary):
            // Clients read whole calls only, and those before the last line.
            return (calls.isEmpty ? "" : frame.line([text("", calls: calls)]))
                + frame.line([text("")] + (try end(summary)), done: true)
        }
    }

    mutating func text(for failure: Failure, _ error: any Error) throws -> String {
        OllamaFrame.line(failure)
    }

    mutating func end() -> String { "" }

    /// The answer as one object, for clients that don't stream.
    mutating func whole(_ completion: CollectedCompletion) throws -> JSON {
        notices = completion.notices
        return frame.object(
            [text(completion.text, calls: completion.pieces.flatMap { $0.calls ?? [] })]
                + probabilities(completion.pieces) + (try end(completion.summary)),
            done: true)
    }

    /// What is told of a model that came into memory, or left it.
    func empty(_ reason: String, loading: Double = 0) -> JSON {
        frame.object(
            [text(""), ("done_reason", .string(reason))] + frame.times(loading: loading), done: true)
    }

    // MARK: - Parts

    private func text(_ text: String, calls pieces: [ToolCallPiece] = []) -> (String, JSON) {
        guard place == .message else { return ("response", .string(text)) }
        let (calls, failed) = Self.calls(pieces)
        var members: [(String, JSON)] = [("role", "assistant"), ("content", .string(text + failed))]
        if !calls.isEmpty { members.append(("tool_calls", .array(calls))) }
        return ("message", JSON(members))
    }

    /// The calls, whose arguments are objects here; those with others (such as what was cut off) become text.
    private static func calls(_ pieces: [ToolCallPiece]) -> (calls: [JSON], text: String) {
        var (calls, text): ([JSON], String) = ([], "")
        for (name, arguments) in pieces.wholeCalls {
            guard let value = try? JSONParser.parse(Array(arguments.utf8)), case .object = value else {
                text += "{\"name\": \(JSON.string(name).text), \"parameters\": \(arguments)"
                continue
            }
            calls.append([
                "function": ["index": JSON(calls.count), "name": .string(name), "arguments": value]
            ])
        }
        return (calls, text)
    }

    private func probabilities(_ pieces: [TokenPiece]) -> [(String, JSON)] {
        reportsProbabilities ? [("logprobs", .array(Probabilities.tokens(pieces)))] : []
    }

    private func end(_ summary: CompletionSummary) throws -> [(String, JSON)] {
        let (usage, timings) = (summary.usage, summary.timings)
        let reason = try AnswerFrame.finishReason(summary.finish)
        var members: [(String, JSON)] = [("done_reason", .string(reason))]
        members += frame.times(loading: timings.loading)
        members += [
            ("prompt_eval_count", JSON(usage.promptTokens)),
            ("prompt_eval_duration", JSON(OllamaFrame.nanoseconds(timings.prefill))),
            ("eval_count", JSON(usage.completionTokens)),
            ("eval_duration", JSON(OllamaFrame.nanoseconds(timings.decode))),
        ]
        if let tokens = summary.tokens {
            members.append(("context", .array(tokens.map { JSON(Int($0)) })))
        }
        return members + AnswerFrame.extras(notices)
    }
}
