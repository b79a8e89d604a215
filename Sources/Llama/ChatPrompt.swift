import StrictJSON
import Tokenizers

/// A prompt in the making: text gathers until a control token ends it, and is then encoded as one.
struct ChatPrompt {
    private enum Part {
        case text(String)
        case control(Int32)
    }

    private let tokenizer: Tokenizer
    private var parts: [Part] = []
    private var text = ""

    init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

    mutating func write(_ text: String) { self.text += text }

    /// A mark of the format: its control token, or its text where the vocabulary has none.
    mutating func mark(_ name: String) {
        if let id = tokenizer.special(name) { control(id) } else { write(name) }
    }

    /// The whole as tokens.
    mutating func finish() -> [Int32] {
        flush()
        return parts.flatMap { part -> [Int32] in
            switch part {
            case .text(let text): tokenizer.encode(text)
            case .control(let id): [id]
            }
        }
    }

    /// The whole as text, without the token that every sequence begins with: who encodes the text puts it there.
    mutating func finishAsText() -> String {
        flush()
        var parts = parts[...]
        if tokenizer.addsBOS, case .control(let id)? = parts.first, id == tokenizer.bos {
            parts.removeFirst()
        }
        return parts.map { part -> String in
            switch part {
            case .text(let text): text
            case .control(let id):
                String(decoding: tokenizer.bytes(of: id, rendersSpecial: true), as: UTF8.self)
            }
        }.joined()
    }

    private mutating func control(_ id: Int32?) {
        guard let id else { return }
        flush()
        parts.append(.control(id))
    }

    private mutating func flush() {
        guard !text.isEmpty else { return }
        parts.append(.text(text))
        text = ""
    }

    private mutating func beginSequence() {
        if tokenizer.addsBOS { control(tokenizer.bos) }
    }
}

extension ChatPrompt {
    /// The template of Llama 3, and with `today` that of 3.1, 3.2 and 3.3, which alone has tools.
    mutating func writeLlama3(
        _ messages: [ChatTurn], tools: [String] = [], today: CalendarDay?, opensAnswer: Bool
    ) {
        control(tokenizer.bos)
        var messages = messages[...]
        if let today {
            let system = messages.first?.role == .system ? messages.removeFirst().content : ""
            llama3Header("system")
            if !tools.isEmpty { write("Environment: ipython\n") }
            write("Cutting Knowledge Date: December 2023\nToday Date: \(today)\n\n\(Self.trimmed(system))")
            mark("<|eot_id|>")
            if !tools.isEmpty {
                let question = messages.first?.role == .user ? messages.removeFirst().content : ""
                llama3Header("user")
                write(ToolText.llama3Instructions(tools) + Self.trimmed(question))
                mark("<|eot_id|>")
            }
        }
        for message in messages { llama3Turn(message) }
        if opensAnswer { llama3Header(ChatRole.assistant.rawValue) }
    }

    private mutating func llama3Turn(_ message: ChatTurn) {
        // The template has one call in a turn; of several each becomes one.
        for call in message.calls {
            llama3Header("assistant")
            write(ToolText.call(call))
            mark("<|eot_id|>")
        }
        guard message.calls.isEmpty else { return }
        let isResult = message.role == .tool
        llama3Header(isResult ? "ipython" : message.role.rawValue)
        write(isResult ? PythonJSON.text(.string(message.content)) : Self.trimmed(message.content))
        mark("<|eot_id|>")
    }

    private mutating func llama3Header(_ role: String) {
        mark("<|start_header_id|>")
        write(role)
        mark("<|end_header_id|>")
        write("\n\n")
    }

    mutating func writeChatML(_ messages: [ChatTurn], defaultSystem: String?, opensAnswer: Bool) {
        beginSequence()
        var messages = messages
        if let defaultSystem, messages.first?.role != .system {
            messages.insert(ChatTurn(role: .system, content: defaultSystem), at: 0)
        }
        for message in messages {
            mark("<|im_start|>")
            write("\(message.role.rawValue)\n\(message.content)")
            mark("<|im_end|>")
            write("\n")
        }
        if opensAnswer {
            mark("<|im_start|>")
            write("assistant\n")
        }
    }

    mutating func writeZephyr(_ messages: [ChatTurn], opensAnswer: Bool) {
        beginSequence()
        for message in messages {
            mark("<|\(message.role.rawValue)|>")
            write("\n\(message.content)")
            control(tokenizer.eos)
            write("\n")
        }
        if opensAnswer {
            mark("<|assistant|>")
            write("\n")
        }
    }

    /// Questions and answers in pairs; system turns go in front of the question that follows them.
    ///
    /// Questions without an answer between them are one question, since the format knows pairs alone.
    mutating func writeLlama2(_ messages: [ChatTurn]) {
        var system: [String] = []
        var questions: [String] = []
        for message in messages {
            switch message.role {
            case .system:
                system.append(message.content)
            case .user, .tool:
                questions.append(message.content)
            case .assistant:
                llama2Question(&system, &questions)
                write(" \(Self.trimmed(message.content)) ")
                control(tokenizer.eos)
            }
        }
        if !questions.isEmpty || !system.isEmpty || messages.isEmpty { llama2Question(&system, &questions) }
    }

    private mutating func llama2Question(_ system: inout [String], _ questions: inout [String]) {
        control(tokenizer.bos)
        let question = questions.joined(separator: "\n\n")
        let content =
            system.isEmpty
            ? question : "<<SYS>>\n\(system.joined(separator: "\n\n"))\n<</SYS>>\n\n\(question)"
        write("[INST] \(Self.trimmed(content)) [/INST]")
        system.removeAll()
        questions.removeAll()
    }

    mutating func writePlain(_ messages: [ChatTurn], opensAnswer: Bool) {
        beginSequence()
        for message in messages {
            let name =
                switch message.role {
                case .system: ""
                case .user, .tool: "User: "
                case .assistant: "Assistant: "
                }
            write("\(name)\(Self.trimmed(message.content))\n\n")
        }
        if opensAnswer { write("Assistant:") }
    }

    /// Jinja's `trim`: without white space at both ends, by Python's notion of it.
    static func trimmed(_ text: String) -> String {
        func isBlank(_ scalar: Unicode.Scalar) -> Bool {
            scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
        }
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !isBlank($0) }),
            let last = scalars.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(scalars[first...last])
    }
}
