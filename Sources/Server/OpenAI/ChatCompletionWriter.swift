import AssistantAPI

/// Puts completions of one chat into the shapes of `POST /v1/chat/completions`, whole or as chunks.
///
/// The order of the chunks is the one that clients were seen to rely on: the role alone first, then content,
/// then the finish reason on a chunk of its own with an empty delta, then the usage with no choices, then
/// `[DONE]`.
struct ChatCompletionWriter: EventWriter {
    private var frame: AnswerFrame
    private let shape: AnswerShape
    private let reportsProbabilities: Bool
    /// The choices whose role was told.
    private var begun: Set<Int> = []
    /// The choices that call functions.
    private var calling: Set<Int> = []
    private var usage: Usage?

    init(_ call: ChatCompletionCall, frame: AnswerFrame) {
        self.frame = frame
        shape = call.shape
        reportsProbabilities = call.requests.contains { $0.logprobs != nil }
    }

    func commits(_ event: IndexedCompletionEvent) -> Bool { event.event.showsProgress }

    mutating func text(for event: IndexedCompletionEvent) throws -> String {
        let index = event.index
        switch event.event {
        case .queued, .loading, .echo: return ""
        case .started(let model):
            frame.model = model
            return ""
        case .prefill: return role(index)
        case .notice(let notice):
            frame.notices.append(notice)
            return ""
        case .token(let piece): return role(index) + chunks(index, piece)
        case .completed(let summary):
            if usage?.addChoice(summary.usage) == nil { usage = summary.usage }
            let finish = try AnswerFrame.finishReason(summary.finish, callsTools: calling.contains(index))
            defer { frame.notices = [] }
            return role(index)
                + chunk(index, delta: [:], finish: .string(finish), extras: frame.extras(summary))
        }
    }

    mutating func text(for failure: Failure, _ error: any Error) throws -> String {
        ServerSentEvent.text(data: failure.json.text)
    }

    mutating func end() -> String {
        let last =
            shape.includesUsage
            ? usage.map { event([], extras: [("usage", AnswerFrame.usage($0))]) } ?? "" : ""
        return last + ServerSentEvent.text(data: "[DONE]")
    }

    private mutating func role(_ index: Int) -> String {
        guard begun.insert(index).inserted else { return "" }
        return chunk(index, delta: ["role": "assistant", "content": ""])
    }

    private mutating func chunks(_ index: Int, _ piece: TokenPiece) -> String {
        var text = ""
        if !piece.text.isEmpty || reportsProbabilities {
            text += chunk(index, delta: ["content": .string(piece.text)], pieces: [piece])
        }
        for call in piece.calls ?? [] {
            calling.insert(index)
            text += chunk(index, delta: ["tool_calls": [delta(index, call)]])
        }
        return text
    }

    /// The first piece of a call has its id and name; the others are arguments alone.
    private func delta(_ index: Int, _ call: ToolCallPiece) -> JSON {
        guard let name = call.name else {
            return ["index": JSON(call.index), "function": ["arguments": .string(call.arguments)]]
        }
        return [
            "index": JSON(call.index), "id": .string(frame.callID(choice: index, call: call.index)),
            "type": "function", "function": ["name": .string(name), "arguments": .string(call.arguments)],
        ]
    }

    private func chunk(
        _ index: Int, delta: JSON, pieces: [TokenPiece] = [], finish: JSON = .null,
        extras: [(String, JSON)] = []
    ) -> String {
        let choice: JSON = [
            "index": JSON(index), "delta": delta,
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
    static func whole(_ completions: [CollectedCompletion], frame: AnswerFrame) throws -> JSON {
        var frame = frame
        var (choices, usage): ([JSON], Usage?) = ([], nil)
        for (index, completion) in completions.enumerated() {
            frame.model = completion.model
            frame.notices += completion.notices
            if usage?.addChoice(completion.summary.usage) == nil { usage = completion.summary.usage }
            choices.append([
                "index": JSON(index), "message": message(completion, frame, choice: index),
                "logprobs": completion.reportsProbabilities ? Probabilities.chat(completion.pieces) : .null,
                "finish_reason": .string(
                    try AnswerFrame.finishReason(
                        completion.summary.finish, callsTools: !completion.calls.isEmpty)),
            ])
        }
        let extras = completions.last.map { frame.extras($0.summary) } ?? []
        return frame.object(
            "chat.completion", choices: choices,
            extras: (usage.map { [("usage", AnswerFrame.usage($0))] } ?? []) + extras)
    }

    private static func message(
        _ completion: CollectedCompletion, _ frame: AnswerFrame, choice: Int
    ) -> JSON {
        let text = completion.text
        let calls = completion.calls.enumerated().map { index, call -> JSON in
            [
                "id": .string(frame.callID(choice: choice, call: index)), "type": "function",
                "function": ["name": .string(call.name), "arguments": .string(call.arguments)],
            ]
        }
        guard !calls.isEmpty else {
            return ["role": "assistant", "content": .string(text), "refusal": .null]
        }
        return [
            "role": "assistant", "content": text.isEmpty ? .null : .string(text), "refusal": .null,
            "tool_calls": .array(calls),
        ]
    }
}

extension Usage {
    /// Another answer to the same prompt, which counts once.
    fileprivate mutating func addChoice(_ other: Usage) { completionTokens += other.completionTokens }
}
