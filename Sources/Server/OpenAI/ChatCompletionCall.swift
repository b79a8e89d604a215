import AssistantAPI

/// The body of `POST /v1/chat/completions`: what is asked for, and in what shape the answer is wanted.
struct ChatCompletionCall: Sendable {
    let request: CompletionRequest
    let shape: AnswerShape

    init(_ fields: Fields) throws(Failure) {
        try Self.refuseUnsupported(fields)
        guard let elements = try fields.array("messages") else {
            throw fields.missing("messages", "an array of messages")
        }
        guard !elements.isEmpty else {
            throw .invalid("'messages' is empty; it must hold at least one message.", parameter: "messages")
        }
        var messages: [ChatMessage] = []
        for (index, element) in elements.enumerated() {
            messages.append(try ChatMessage(Fields(element, path: "messages[\(index)]")))
        }
        request = CompletionRequest(
            model: try fields.string("model"), prompt: .chat(messages),
            settings: try GenerationSettings(fields),
            logprobs: try Self.logprobs(fields), keepAlive: try fields.keepAlive(),
            constraint: try OutputConstraint.read(fields))
        shape = try AnswerShape(fields)
    }

    private static func logprobs(_ fields: Fields) throws(Failure) -> Int? {
        let isWanted = try fields.bool("logprobs") ?? false
        let count = try fields.integer("top_logprobs", in: 0...20)
        guard isWanted else {
            guard count == nil || count == 0 else {
                throw .invalid("'top_logprobs' needs 'logprobs' to be true.", parameter: "top_logprobs")
            }
            return nil
        }
        return count ?? 0
    }

    /// What would change the answer's meaning if it were ignored is refused by name.
    private static func refuseUnsupported(_ fields: Fields) throws(Failure) {
        try AnswerShape.refuseSeveralChoices(fields)
        for name in ["tools", "functions"] {
            if let tools = try fields.array(name), !tools.isEmpty {
                throw .unsupported("'\(name)' are not supported yet; leave the field out.", parameter: name)
            }
        }
        for name in ["tool_choice", "function_call"] {
            guard let choice = fields[name] else { continue }
            guard choice == "auto" || choice == "none" else {
                throw .unsupported("'\(name)' needs tools, which are not supported yet.", parameter: name)
            }
        }
        for modality in try fields.array("modalities") ?? [] where modality != "text" {
            throw .unsupported("'modalities' other than text are not supported.", parameter: "modalities")
        }
    }
}

/// How an OpenAI client wants its answer.
struct AnswerShape: Sendable, Equatable {
    let streams: Bool
    let includesUsage: Bool

    init(_ fields: Fields) throws(Failure) {
        streams = try fields.bool("stream") ?? false
        includesUsage = try fields.object("stream_options")?.bool("include_usage") ?? false
    }

    static func refuseSeveralChoices(_ fields: Fields) throws(Failure) {
        for name in ["n", "best_of"] {
            guard let value = fields[name] else { continue }
            guard case .number(let number) = value else {
                throw fields.mismatch(name, "the integer 1", value)
            }
            guard number.integer(as: Int.self) == 1 else {
                throw .unsupported(
                    "'\(name)' must be 1, not \(number.text): one answer is made.", parameter: name)
            }
        }
    }
}

extension ChatMessage {
    init(_ fields: Fields) throws(Failure) {
        let name = try fields.requiredString("role")
        let role: Role
        switch name {
        case "system", "developer": role = .system
        case "user": role = .user
        case "assistant": role = .assistant
        case "tool", "function":
            throw .unsupported(
                "Messages of role '\(name)' are not supported yet.", parameter: fields.path + "role")
        default:
            throw .invalid(
                "'\(fields.path)role' must be system, developer, user or assistant, not '\(name)'.",
                parameter: fields.path + "role")
        }
        if let calls = try fields.array("tool_calls"), !calls.isEmpty {
            throw .unsupported("Tool calls are not supported yet.", parameter: fields.path + "tool_calls")
        }
        self.init(role: role, content: try Self.content(fields))
    }

    /// A string, or parts of which all are text.
    private static func content(_ fields: Fields) throws(Failure) -> String {
        switch fields["content"] {
        case .string(let text): return text
        case .array(let parts):
            var text = ""
            for (index, part) in parts.enumerated() {
                text += try Self.text(of: Fields(part, path: "\(fields.path)content[\(index)]"))
            }
            return text
        case nil: throw fields.missing("content", "a string or an array of parts")
        case .some(let value): throw fields.mismatch("content", "a string or an array of parts", value)
        }
    }

    private static func text(of part: Fields) throws(Failure) -> String {
        switch try part.requiredString("type") {
        case "text": return try part.requiredString("text")
        case let type:
            throw .unsupported(
                "'\(part.path)type' is \(type); the models here read text only.",
                parameter: part.path + "type")
        }
    }
}
