import AssistantAPI

/// Puts one completion into the shapes of `POST /v1/chat/completions`, whole or as chunks.
///
/// The order of the chunks is the one that clients were seen to rely on: the role alone first, then content,
/// then the finish reason on a chunk of its own with an empty delta, then the usage with no choices, then
/// `[DONE]`.
struct ChatCompletionWriter: EventWriter {
    private var frame: AnswerFrame
    private let shape: AnswerShape
    private let reportsProbabilities: Bool
    private var hasSentRole = false

    init(_ call: ChatCompletionCall, frame: AnswerFrame) {
        self.frame = frame
        shape = call.shape
        reportsProbabilities = call.request.logprobs != nil
    }

    func commits(_ event: CompletionEvent) -> Bool { event.showsProgress }

    mutating func text(for event: CompletionEvent) throws -> String {
        switch event {
        case .queued, .loading, .echo: return ""
        case .started(let model):
            frame.model = model
            return ""
        case .prefill: return role()
        case .notice(let notice):
            frame.notices.append(notice)
            return ""
        case .token(let piece):
            guard !piece.text.isEmpty || reportsProbabilities else { return role() }
            return role() + chunk(delta: ["content": .string(piece.text)], pieces: [piece])
        case .completed(let summary):
            let finish = try AnswerFrame.finishReason(summary.finish)
            var text = role() + chunk(delta: [:], finish: .string(finish), extras: frame.extras(summary))
            if shape.includesUsage {
                text += self.event([], extras: [("usage", AnswerFrame.usage(summary.usage))])
            }
            return text
        }
    }

    mutating func text(for failure: Failure, _ error: any Error) throws -> String {
        ServerSentEvent.text(data: failure.json.text)
    }

    mutating func end() -> String { ServerSentEvent.text(data: "[DONE]") }

    private mutating func role() -> String {
        guard !hasSentRole else { return "" }
        hasSentRole = true
        return chunk(delta: ["role": "assistant", "content": ""])
    }

    private func chunk(
        delta: JSON, pieces: [TokenPiece] = [], finish: JSON = .null, extras: [(String, JSON)] = []
    ) -> String {
        let choice: JSON = [
            "index": 0, "delta": delta,
            "logprobs": reportsProbabilities && !pieces.isEmpty ? Probabilities.chat(pieces) : .null,
            "finish_reason": finish,
        ]
        let usage: [(String, JSON)] = shape.includesUsage ? [("usage", .null)] : []
        return event([choice], extras: usage + extras)
    }

    private func event(_ choices: [JSON], extras: [(String, JSON)]) -> String {
        ServerSentEvent.text(
            data: frame.object("chat.completion.chunk", choices: choices, extras: extras).text)
    }

    /// The answer as one object, for clients that don't stream.
    static func whole(_ completion: CollectedCompletion, frame: AnswerFrame) throws -> JSON {
        var frame = frame
        frame.model = completion.model
        frame.notices = completion.notices
        let choice: JSON = [
            "index": 0,
            "message": ["role": "assistant", "content": .string(completion.text), "refusal": .null],
            "logprobs": completion.reportsProbabilities ? Probabilities.chat(completion.pieces) : .null,
            "finish_reason": .string(try AnswerFrame.finishReason(completion.summary.finish)),
        ]
        let usage = ("usage", AnswerFrame.usage(completion.summary.usage))
        return frame.object(
            "chat.completion", choices: [choice], extras: [usage] + frame.extras(completion.summary))
    }
}
