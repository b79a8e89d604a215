public import AssistantAPI
import FoundationEssentials

/// The picture engine as a function that a chat model may call: `imagine(prompt)`.
///
/// A call is the whole answer: the picture is painted and shown, and the model says nothing about it.
public enum ImagineTool {
    public static let name = "imagine"

    /// What the model is shown, and what arguments it may give.
    public static let tool = Tool(
        name: name,
        definition: """
            {"type": "function", "function": {"name": "\(name)", "description": "Paints a picture and shows it to \
            the user. Only for when a picture is asked for.", "parameters": \(parameters)}}
            """,
        parameters: parameters)

    /// An answer may be a picture, and only one.
    static let use = ToolUse(tools: [tool], isParallel: false)

    private static let parameters = """
        {"type": "object", "properties": {"prompt": {"type": "string", "minLength": 1, "description": "What the \
        picture shows, in English, with its details and its style"}}, "required": ["prompt"], \
        "additionalProperties": false}
        """

    private struct Arguments: Codable {
        var prompt: String
    }

    /// What a call asks to be painted.
    ///
    /// - Parameters:
    ///   - arguments: JSON, as the model wrote it; small models get it wrong at times.
    ///   - request: What the model was asked: its question is painted where the model does not say what to paint.
    /// - Returns: The prompt.
    static func prompt(of arguments: String, in request: CompletionRequest) -> String {
        let read = try? JSONDecoder().decode(Arguments.self, from: Data(arguments.utf8))
        guard let prompt = read?.prompt, prompt.contains(where: { !$0.isWhitespace }) else {
            return request.questions.last ?? ""
        }
        return prompt
    }

    /// An earlier answer that was a picture, as the model is to see it: its call, and that it worked.
    public static func turn(of prompt: String) -> [ChatMessage] {
        let arguments = try? JSONEncoder().encode(Arguments(prompt: prompt))
        let call = ToolCall(
            id: "", name: name, arguments: String(decoding: arguments ?? Data(), as: UTF8.self))
        return [
            ChatMessage(role: .assistant, content: "", toolCalls: [call]),
            ChatMessage(role: .user, content: "The picture is shown.", toolName: name),
        ]
    }
}

extension CompletionRequest {
    /// What a person asked, the first thing first; what functions returned is none of it.
    var questions: [String] {
        guard case .chat(let messages) = prompt else { return [] }
        return messages.filter { $0.role == .user && $0.toolName == nil }.map(\.content)
    }
}
