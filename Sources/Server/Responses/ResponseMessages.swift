import Assistant
import AssistantAPI

/// The items of a chain of responses as the messages of a chat.
struct ResponseMessages {
    private(set) var messages: [ChatMessage] = []
    /// The functions that were called, by the ids of the calls.
    private var called: [String: String] = [:]
    private let promptOf: @Sendable (Picture.ID) async -> String?

    private static let parts: ChatMessage.TextParts = [
        "input_text": "text", "output_text": "text", "refusal": "refusal",
    ]

    /// - Parameters:
    ///   - instructions: What stands before all items.
    ///   - promptOf: What a picture that is kept shows.
    init(instructions: String?, promptOf: @escaping @Sendable (Picture.ID) async -> String?) {
        self.promptOf = promptOf
        guard let instructions, !instructions.isEmpty else { return }
        messages = [ChatMessage(role: .system, content: instructions)]
    }

    /// Adds items, which have a path in errors.
    ///
    /// - Throws: `Failure` 400 that names the field.
    mutating func add(_ items: [JSON], path: String) async throws {
        for (index, item) in items.enumerated() {
            try await add(Fields(item, path: "\(path)[\(index)]"))
        }
    }

    private mutating func add(_ item: Fields) async throws {
        switch try item.requiredString("type") {
        case "message": messages.append(try Self.message(item))
        case "function_call": add(try Self.call(item))
        case "function_call_output": messages.append(try output(item))
        case "image_generation_call": try await addPicture(item)
        // What another model thought; none of those here does.
        case "reasoning": break
        case "item_reference":
            throw Failure.unsupported(
                "'\(item.path)type' item_reference is not supported; send the item itself, or "
                    + "'previous_response_id'.", parameter: item.path + "type")
        case let type:
            throw Failure.unsupported(
                "'\(item.path)type' must be message, function_call, function_call_output, "
                    + "image_generation_call or reasoning, not '\(type.prefix(80))'.",
                parameter: item.path + "type")
        }
    }

    private static func message(_ item: Fields) throws(Failure) -> ChatMessage {
        let role: Role
        switch try item.requiredString("role") {
        case "user": role = .user
        case "system", "developer": role = .system
        case "assistant": role = .assistant
        case let name:
            throw .invalid(
                "'\(item.path)role' must be user, assistant, system or developer, not '\(name.prefix(80))'.",
                parameter: item.path + "role")
        }
        return ChatMessage(role: role, content: try ChatMessage.content(item, parts: parts))
    }

    private static func call(_ item: Fields) throws(Failure) -> ToolCall {
        ToolCall(
            id: try item.requiredString("call_id"), name: try item.requiredString("name"),
            arguments: try item.requiredString("arguments"))
    }

    /// Calls that follow one another were one answer.
    private mutating func add(_ call: ToolCall) {
        called[call.id] = call.name
        if let last = messages.indices.last, messages[last].toolCalls != nil {
            messages[last].toolCalls?.append(call)
        } else {
            messages.append(ChatMessage(role: .assistant, content: "", toolCalls: [call]))
        }
    }

    private func output(_ item: Fields) throws(Failure) -> ChatMessage {
        let id = try item.requiredString("call_id")
        guard let name = called[id] else {
            throw .invalid(
                "'\(item.path)call_id' is \(id.prefix(80)), and no function_call before it has that one.",
                parameter: item.path + "call_id")
        }
        return ChatMessage(
            role: .user, content: try ChatMessage.content(item, "output", parts: Self.parts), toolName: name)
    }

    private mutating func addPicture(_ item: Fields) async throws {
        let id = try item.requiredString("id")
        // Of one that failed nothing was shown.
        if try item.string("status") == "failed" { return }
        var prompt = try item.string("revised_prompt")
        if prompt == nil { prompt = await promptOf(ResponseItem.picture(ofItem: id) ?? id) }
        guard let prompt else {
            throw Failure.invalid(
                "'\(item.path)id': there is no picture \(id.prefix(80)); send its 'revised_prompt' too.",
                parameter: item.path + "id")
        }
        messages += ImagineTool.turn(of: prompt)
    }
}
