/// A function that a model may ask to be called.
public struct Tool: Sendable, Hashable {
    public var name: String
    /// The whole definition as the client wrote it, in JSON: what the model is shown.
    public var definition: String
    /// The JSON schema of the arguments; `nil` for a function without any.
    public var parameters: String?

    public init(name: String, definition: String, parameters: String? = nil) {
        self.name = name
        self.definition = definition
        self.parameters = parameters
    }
}

/// The functions that an answer may call.
public struct ToolUse: Sendable, Equatable {
    /// Whether the answer has to be a call.
    public enum Choice: Sendable, Equatable {
        /// Text or calls, as the model likes.
        case auto
        /// A call of any of the functions, with arguments that are valid by its schema.
        case required
        /// A call of this one.
        case function(String)
    }

    public var tools: [Tool]
    public var choice: Choice
    /// Whether an answer may have several calls.
    public var isParallel: Bool

    public init(tools: [Tool], choice: Choice = .auto, isParallel: Bool = true) {
        self.tools = tools
        self.choice = choice
        self.isParallel = isParallel
    }
}

/// A call that a model asked for.
public struct ToolCall: Codable, Sendable, Equatable {
    public var id: String
    public var name: String
    /// JSON; what a model wrote freely need not be valid.
    public var arguments: String

    public init(id: String, name: String, arguments: String) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }
}

/// A part of a call, as it is written.
public struct ToolCallPiece: Codable, Sendable, Equatable {
    /// The call's place in the answer, from 0.
    public var index: Int
    /// With the call's first piece: its name.
    public var name: String?
    /// More of the arguments' JSON.
    public var arguments: String

    public init(index: Int, name: String? = nil, arguments: String = "") {
        self.index = index
        self.name = name
        self.arguments = arguments
    }
}
