import AssistantAPI

extension ChatMessage {
    /// The messages of a chat.
    ///
    /// - Throws: `Failure` 400 that names the field by its path.
    static func readAll(_ fields: Fields) throws(Failure) -> [ChatMessage] {
        guard let elements = try fields.array("messages") else {
            throw fields.missing("messages", "an array of messages")
        }
        guard !elements.isEmpty else {
            throw .invalid("'messages' is empty; it must hold at least one message.", parameter: "messages")
        }
        var messages: [ChatMessage] = []
        /// The functions that were called, by the ids of the calls.
        var called: [String: String] = [:]
        for (index, element) in elements.enumerated() {
            let message = try ChatMessage(Fields(element, path: "messages[\(index)]"), called: called)
            for call in message.toolCalls ?? [] { called[call.id] = call.name }
            messages.append(message)
        }
        return messages
    }

    init(_ fields: Fields, called: [String: String] = [:]) throws(Failure) {
        let name = try fields.requiredString("role")
        switch name {
        case "system", "developer": self.init(role: .system, content: try Self.content(fields))
        case "user": self.init(role: .user, content: try Self.content(fields))
        case "assistant":
            let calls = try Self.calls(fields)
            let isEmpty = !calls.isEmpty && fields["content"] == nil
            self.init(
                role: .assistant, content: isEmpty ? "" : try Self.content(fields),
                toolCalls: calls.isEmpty ? nil : calls)
        case "tool":
            // Ollama's clients name the function; their calls have no ids, so all share the empty one: the last call's.
            let name = try fields.string("tool_name")
            let id = try fields.string("tool_call_id") ?? ""
            let fallback = try fields.string("name") ?? ""
            self.init(
                role: .user, content: try Self.content(fields), toolName: name ?? called[id] ?? fallback)
        case "function":
            throw .unsupported(
                "Messages of role 'function' are not supported; take role 'tool'.",
                parameter: fields.path + "role")
        default:
            throw .invalid(
                "'\(fields.path)role' must be system, developer, user, assistant or tool, not '\(name)'.",
                parameter: fields.path + "role")
        }
    }

    private static func calls(_ fields: Fields) throws(Failure) -> [ToolCall] {
        var calls: [ToolCall] = []
        for (index, element) in (try fields.array("tool_calls") ?? []).enumerated() {
            calls.append(try ToolCall(Fields(element, path: "\(fields.path)tool_calls[\(index)]")))
        }
        return calls
    }

    /// The types of an API's parts that are text, each with the field that has it.
    typealias TextParts = [String: String]

    /// A string, or parts of which all are text.
    static func content(
        _ fields: Fields, _ name: String = "content", parts types: TextParts = ["text": "text"]
    ) throws(Failure) -> String {
        switch fields[name] {
        case .string(let text): return text
        case .array(let parts):
            var text = ""
            for (index, part) in parts.enumerated() {
                text += try Self.text(of: Fields(part, path: "\(fields.path)\(name)[\(index)]"), types)
            }
            return text
        case nil: throw fields.missing(name, "a string or an array of parts")
        case .some(let value): throw fields.mismatch(name, "a string or an array of parts", value)
        }
    }

    private static func text(of part: Fields, _ types: TextParts) throws(Failure) -> String {
        let type = try part.requiredString("type")
        if let name = types[type] { return try part.requiredString(name) }
        switch type {
        case "image_url", "input_image", "input_file":
            throw .unsupported("This model cannot see; send text only.", parameter: part.path + "type")
        default:
            throw .unsupported(
                "'\(part.path)type' is \(type); the models here read text only.",
                parameter: part.path + "type")
        }
    }
}
