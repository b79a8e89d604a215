/// What a chat model's files say of it beyond a summary: its sizes, and how chats are written for it.
public struct ChatModelDescription: Sendable, Equatable {
    public var layerCount: Int
    /// The width of the residual stream.
    public var hiddenSize: Int
    public var intermediateSize: Int
    public var headCount: Int
    public var kvHeadCount: Int
    /// Elements of one head.
    public var headSize: Int
    /// The longest sequence that it was made for, in tokens.
    public var contextLength: Int
    public var vocabularySize: Int
    /// Keeps a norm from dividing by zero.
    public var epsilon: Double
    /// The base of the rotary embedding's frequencies.
    public var ropeBase: Double
    /// The template that came with it, which is recognised and never executed; `nil` where there is none.
    public var chatTemplate: String?
    /// The format in which chats are written, such as `llama-3.1` or `chatml`.
    public var chatFormat: String
    /// Text that ends an answer.
    public var stops: [String]
    /// Text of the token that begins a sequence; empty where there is none.
    public var beginOfText: String
    /// Text of the token that ends one; empty where there is none.
    public var endOfText: String

    public init(
        layerCount: Int, hiddenSize: Int, intermediateSize: Int, headCount: Int, kvHeadCount: Int,
        headSize: Int, contextLength: Int, vocabularySize: Int, epsilon: Double, ropeBase: Double,
        chatTemplate: String?, chatFormat: String, stops: [String], beginOfText: String, endOfText: String
    ) {
        self.layerCount = layerCount
        self.hiddenSize = hiddenSize
        self.intermediateSize = intermediateSize
        self.headCount = headCount
        self.kvHeadCount = kvHeadCount
        self.headSize = headSize
        self.contextLength = contextLength
        self.vocabularySize = vocabularySize
        self.epsilon = epsilon
        self.ropeBase = ropeBase
        self.chatTemplate = chatTemplate
        self.chatFormat = chatFormat
        self.stops = stops
        self.beginOfText = beginOfText
        self.endOfText = endOfText
    }
}
