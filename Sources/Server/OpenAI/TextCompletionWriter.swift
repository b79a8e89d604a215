import AssistantAPI

/// Puts completions into the legacy shapes of `POST /v1/completions`, whole or as chunks.
struct TextCompletionWriter: EventWriter {
    private var frame: AnswerFrame
    private let shape: AnswerShape
    private let reportsProbabilities: Bool
    /// Characters of this choice's text so far, for `text_offset`.
    private var offset = 0
    private var usage = Usage(promptTokens: 0, cachedTokens: 0, completionTokens: 0)

    init(_ call: TextCompletionCall, frame: AnswerFrame) {
        self.frame = frame
        shape = call.shape
        reportsProbabilities = call.reportsProbabilities
    }

    func commits(_ event: IndexedCompletionEvent) -> Bool { event.event.showsProgress }

    mutating func text(for event: IndexedCompletionEvent) throws -> String {
        switch event.event {
        case .queued, .loading, .prefill: return ""
        case .started(let model):
            frame.model = model
            offset = 0
            return ""
        case .notice(let notice):
            frame.notices.append(notice)
            return ""
        case .echo(let piece), .token(let piece):
            guard !piece.text.isEmpty || reportsProbabilities else { return "" }
            defer { offset += piece.text.unicodeScalars.count }
            return chunk(index: event.index, text: piece.text, piece: piece)
        case .completed(let summary):
            usage.add(summary.usage)
            let finish = try AnswerFrame.finishReason(summary.finish)
            defer { frame.notices = [] }
            return chunk(index: event.index, finish: .string(finish), extras: frame.extras(summary))
        }
    }

    mutating func text(for failure: Failure, _ error: any Error) throws -> String {
        ServerSentEvent.text(data: failure.json.text)
    }

    mutating func end() -> String {
        let last =
            shape.includesUsage ? self.event([], extras: [("usage", AnswerFrame.usage(usage))]) : ""
        return last + ServerSentEvent.text(data: "[DONE]")
    }

    private func chunk(
        index: Int, text: String = "", piece: TokenPiece? = nil, finish: JSON = .null,
        extras: [(String, JSON)] = []
    ) -> String {
        let probabilities = piece.map { Probabilities.legacy([$0], from: offset) }
        let choice: JSON = [
            "text": .string(text), "index": JSON(index),
            "logprobs": reportsProbabilities ? probabilities ?? .null : .null, "finish_reason": finish,
        ]
        let usage: [(String, JSON)] = shape.includesUsage ? [("usage", .null)] : []
        return event([choice], extras: usage + extras)
    }

    private func event(_ choices: [JSON], extras: [(String, JSON)]) -> String {
        ServerSentEvent.text(data: frame.object("text_completion", choices: choices, extras: extras).text)
    }

    /// The answer as one object, for clients that don't stream.
    static func whole(_ completions: [CollectedCompletion], frame: AnswerFrame) throws -> JSON {
        var frame = frame
        var usage = Usage(promptTokens: 0, cachedTokens: 0, completionTokens: 0)
        var choices: [JSON] = []
        for (index, completion) in completions.enumerated() {
            frame.model = completion.model
            frame.notices += completion.notices
            usage.add(completion.summary.usage)
            choices.append([
                "text": .string(completion.text), "index": JSON(index),
                "logprobs": completion.reportsProbabilities ? Probabilities.legacy(completion.pieces) : .null,
                "finish_reason": .string(try AnswerFrame.finishReason(completion.summary.finish)),
            ])
        }
        let extras = completions.last.map { frame.extras($0.summary) } ?? []
        return frame.object(
            "text_completion", choices: choices, extras: [("usage", AnswerFrame.usage(usage))] + extras)
    }
}

extension Usage {
    mutating func add(_ other: Usage) {
        promptTokens += other.promptTokens
        cachedTokens += other.cachedTokens
        completionTokens += other.completionTokens
    }
}
