import StrictJSON

/// How functions, calls and results are written into prompts.
///
/// Llama 3.1 and later have a format of their own. All other models are told of the functions in the system turn and
/// asked for the same JSON; what a function returned is a user's turn.
enum ToolText {
    /// What stands before the first question, word by word as in Llama's template.
    static func llama3Instructions(_ tools: [String]) -> String {
        "Given the following functions, please respond with a JSON for a function call with its proper arguments "
            + "that best answers the given prompt.\n\n"
            + #"Respond in the format {"name": function name, "parameters": dictionary of argument name and its value}."#
            + "Do not use variables.\n\n"
            + tools.map { PythonJSON.text(parsed($0), indent: 4) + "\n\n" }.joined()
    }

    /// A call as the assistant writes it.
    static func call(_ call: ChatTurn.Call) -> String {
        #"{"name": "\#(call.name)", "parameters": \#(PythonJSON.text(parsed(call.arguments)))}"#
    }

    /// Turns without tools, for formats that have none.
    static func spelledOut(_ turns: [ChatTurn], _ tools: [String], _ style: ChatFormat.Style) -> [ChatTurn] {
        var turns = turns.map { turn in
            if !turn.calls.isEmpty {
                return ChatTurn(role: .assistant, content: turn.calls.map(call).joined(separator: "\n"))
            }
            guard turn.role == .tool else { return turn }
            return ChatTurn(role: .user, content: "The function \(turn.name ?? "") returned: \(turn.content)")
        }
        guard !tools.isEmpty else { return turns }
        let instructions = instructions(tools)
        if turns.first?.role == .system {
            turns[0].content += "\n\n" + instructions
        } else {
            turns.insert(ChatTurn(role: .system, content: instructions), at: 0)
        }
        return turns
    }

    private static func instructions(_ tools: [String]) -> String {
        "You can call functions. These are the functions:\n"
            + tools.map { PythonJSON.text(parsed($0)) + "\n" }.joined()
            + #"To call a function, answer only with JSON: {"name": function name, "parameters": its arguments}. "#
            + "If no function helps, answer in words."
    }

    /// What is no JSON stands as a text.
    private static func parsed(_ text: String) -> JSONValue {
        (try? JSONValue(parsing: Array(text.utf8), limits: JSONLimits(depth: 64))) ?? .string(text)
    }
}

/// JSON as Python's `json.dumps(…, ensure_ascii=False)` writes it, which models saw in training.
enum PythonJSON {
    /// With `indent` each element stands on a line of its own.
    static func text(_ value: JSONValue, indent: Int? = nil, depth: Int = 0) -> String {
        switch value {
        case .null: "null"
        case .bool(let bool): bool ? "true" : "false"
        case .integer(let number): "\(number)"
        case .unsigned(let number): "\(number)"
        case .number(let number): "\(number)"
        case .string(let text): quoted(text)
        case .array(let values):
            block("[", values.map { text($0, indent: indent, depth: depth + 1) }, "]", indent, depth)
        case .object(let object):
            block(
                "{",
                object.members.map {
                    quoted($0.name) + ": " + text($0.value, indent: indent, depth: depth + 1)
                },
                "}", indent, depth)
        }
    }

    private static func block(
        _ open: String, _ parts: [String], _ close: String, _ indent: Int?, _ depth: Int
    ) -> String {
        guard let indent, !parts.isEmpty else { return open + parts.joined(separator: ", ") + close }
        func line(_ depth: Int) -> String { "\n" + String(repeating: " ", count: indent * depth) }
        return open + line(depth + 1) + parts.joined(separator: "," + line(depth + 1)) + line(depth) + close
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += #"\""#
            case "\\": result += #"\\"#
            case "\n": result += #"\n"#
            case "\r": result += #"\r"#
            case "\t": result += #"\t"#
            case "\u{8}": result += #"\b"#
            case "\u{C}": result += #"\f"#
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                result += #"\u"# + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
