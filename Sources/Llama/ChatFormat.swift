public import Tokenizers

/// Who says something in a chat.
public enum ChatRole: String, Sendable {
    case system, user, assistant
    /// A function, whose result the content is.
    case tool
}

/// One thing that was said.
public struct ChatTurn: Sendable, Equatable {
    public typealias Role = ChatRole

    /// A function that the assistant asked to be called.
    public struct Call: Sendable, Equatable {
        public var name: String
        /// JSON.
        public var arguments: String

        public init(name: String, arguments: String) {
            self.name = name
            self.arguments = arguments
        }
    }

    public var role: ChatRole
    public var content: String
    /// With calls the assistant's content is left out, as in Llama's template.
    public var calls: [Call]
    /// Of a function's result: the function.
    public var name: String?

    public init(role: ChatRole, content: String, calls: [Call] = [], name: String? = nil) {
        self.role = role
        self.content = content
        self.calls = calls
        self.name = name
    }
}

/// How a model wants a chat written, recognised from its file and implemented here.
///
/// A file's own template is a program; it is looked at for marks and never executed. What people wrote is encoded
/// as text, so no turn can end early or pose as another.
public struct ChatFormat: Sendable, Equatable {
    /// The formats that the code knows.
    enum Style: Equatable {
        /// Llama 3's headers; from 3.1 on a system header tells the dates.
        case llama3(tellsDates: Bool)
        /// `<|im_start|>role` and `<|im_end|>`; some models have words of their own where no system turn is.
        case chatML(defaultSystem: String?)
        /// `<|user|>` on a line of its own, each turn ended by the end of sequence (TinyLlama).
        case zephyr
        /// `[INST] <<SYS>>`, in pairs of a question and an answer.
        case llama2
        /// A transcript, for models that were never taught a chat.
        case plain
    }

    let style: Style
    /// Every token that ends an answer.
    public let stopTokens: Set<Int32>

    /// The format's name, for people.
    public var name: String {
        switch style {
        case .llama3(tellsDates: false): "llama-3"
        case .llama3(tellsDates: true): "llama-3.1"
        case .chatML: "chatml"
        case .zephyr: "zephyr"
        case .llama2: "llama-2"
        case .plain: "plain"
        }
    }

    /// Text that ends an answer where the format has no token for it.
    public var stopStrings: [String] { style == .plain ? ["\nUser:"] : [] }

    /// The format of a model, by the marks in its template, or without one by its control tokens.
    ///
    /// - Parameters:
    ///   - template: `tokenizer.chat_template` of a GGUF file, `chat_template` of tokenizer_config.json.
    ///   - tokenizer: the model's.
    /// - Returns: the format; `plain` if nothing is recognised.
    public static func detect(template: String?, tokenizer: Tokenizer) -> ChatFormat {
        let style = template.flatMap { Style(template: $0) } ?? Style(controlTokensOf: tokenizer)
        return ChatFormat(style, tokenizer: tokenizer)
    }

    init(_ style: Style, tokenizer: Tokenizer) {
        self.style = style
        let turnEnds = ["<|eot_id|>", "<|im_end|>"].compactMap { tokenizer.special($0) }
        stopTokens = tokenizer.endOfGeneration.union(turnEnds)
    }

    /// The tokens of a chat, from the beginning of the sequence on.
    ///
    /// - Parameters:
    ///   - messages: the turns in order.
    ///   - tools: definitions of functions that may be called, in JSON.
    ///   - tokenizer: the model's.
    ///   - addGenerationPrompt: whether the assistant's next turn is opened.
    ///   - today: the date that Llama 3.1 and later are told.
    /// - Returns: control tokens by id, everything else as text.
    public func encode(
        _ messages: [ChatTurn], tools: [String] = [], tokenizer: Tokenizer, addGenerationPrompt: Bool = true,
        today: CalendarDay = .today
    ) -> [Int32] {
        var prompt = write(
            messages, tools, tokenizer, opensAnswer: addGenerationPrompt, today: today)
        return prompt.finish()
    }

    /// A chat as a text that, read with its control tokens, is the same prompt.
    ///
    /// What people wrote can't be told from control tokens in it.
    ///
    /// - Parameters: those of `encode`.
    /// - Returns: the text, without the token that every sequence of this model begins with.
    public func text(
        of messages: [ChatTurn], tools: [String] = [], tokenizer: Tokenizer, addGenerationPrompt: Bool = true,
        today: CalendarDay = .today
    ) -> String {
        var prompt = write(
            messages, tools, tokenizer, opensAnswer: addGenerationPrompt, today: today)
        return prompt.finishAsText()
    }

    private func write(
        _ messages: [ChatTurn], _ tools: [String], _ tokenizer: Tokenizer, opensAnswer: Bool,
        today: CalendarDay
    ) -> ChatPrompt {
        var prompt = ChatPrompt(tokenizer)
        let messages =
            style == .llama3(tellsDates: true) ? messages : ToolText.spelledOut(messages, tools, style)
        switch style {
        case .llama3(let tellsDates):
            prompt.writeLlama3(
                messages, tools: tools, today: tellsDates ? today : nil, opensAnswer: opensAnswer)
        case .chatML(let defaultSystem):
            prompt.writeChatML(messages, defaultSystem: defaultSystem, opensAnswer: opensAnswer)
        case .zephyr:
            prompt.writeZephyr(messages, opensAnswer: opensAnswer)
        case .llama2:
            prompt.writeLlama2(messages)
        case .plain:
            prompt.writePlain(messages, opensAnswer: opensAnswer)
        }
        return prompt
    }
}
