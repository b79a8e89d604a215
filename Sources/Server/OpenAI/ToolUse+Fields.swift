import AssistantAPI

extension ToolUse {
    static let limit = 128

    /// What `tools`, `tool_choice` and `parallel_tool_calls` ask for; nil where nothing may be called.
    ///
    /// - Throws: `Failure` 400 that names the field.
    static func read(_ fields: Fields) throws(Failure) -> ToolUse? {
        let harmless: [JSON?] = [nil, [], "none", "auto"]
        for name in ["functions", "function_call"] where !harmless.contains(fields[name]) {
            throw .unsupported("'\(name)' is not supported; take 'tools' and 'tool_choice'.", parameter: name)
        }
        var tools: [Tool] = []
        for (index, element) in (try fields.array("tools") ?? []).enumerated() {
            tools.append(try Tool(element, path: "\(fields.path)tools[\(index)]"))
        }
        guard tools.count <= limit else {
            throw .invalid("'tools' must be at most \(limit).", parameter: fields.path + "tools")
        }
        let isParallel = try fields.bool("parallel_tool_calls") ?? true
        guard let choice = try choice(fields, among: tools), !tools.isEmpty else { return nil }
        return ToolUse(tools: tools, choice: choice, isParallel: isParallel)
    }

    /// What `tool_choice` asks for; nil for none.
    static func choice(_ fields: Fields, among tools: [Tool]) throws(Failure) -> Choice? {
        let path = fields.path + "tool_choice"
        let choice: Choice
        switch fields["tool_choice"] {
        case nil, "auto"?: return .auto
        case "none"?: return nil
        case "required"?: choice = .required
        case .object?:
            let wanted = try fields.object("tool_choice")
            let function = try wanted?.object("function")
            let name = try (function ?? wanted)?.string("name")
            guard let name, tools.contains(where: { $0.name == name }) else {
                throw .invalid("'\(path)' must name one of the tools.", parameter: path)
            }
            choice = .function(name)
        default: throw .invalid("'\(path)' must be none, auto, required or a function.", parameter: path)
        }
        guard !tools.isEmpty else { throw .invalid("'\(path)' needs tools.", parameter: path) }
        return choice
    }
}

extension Tool {
    /// Reads `{"type": "function", "function": {"name", "description", "parameters"}}`.
    init(_ json: JSON, path: String) throws(Failure) {
        let fields = try Fields(json, path: path)
        guard try fields.requiredString("type") == "function" else {
            throw .unsupported("'\(path).type' must be function.", parameter: path + ".type")
        }
        guard let function = try fields.object("function") else {
            throw fields.missing("function", "an object with a name")
        }
        try self.init(function: function, definition: json.text)
    }

    /// Reads `{"type": "function", "name", "description", "parameters"}`, which the model is shown as the other shape.
    init(flat fields: Fields) throws(Failure) {
        var members: [(String, JSON)] = []
        for name in ["name", "description", "parameters"] {
            if let value = fields[name] { members.append((name, value)) }
        }
        let definition: JSON = ["type": "function", "function": JSON(members)]
        _ = try fields.string("description")
        try self.init(function: fields, definition: definition.text)
    }

    private init(function: Fields, definition: String) throws(Failure) {
        let name = try function.requiredString("name")
        guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy({ Self.isNamePart($0) }) else {
            throw .invalid(
                "'\(function.path)name' must be 1 to 64 letters, digits, '_' and '-'.",
                parameter: function.path + "name")
        }
        var parameters: String?
        if let value = function["parameters"] {
            guard case .object = value else { throw function.mismatch("parameters", "a JSON schema", value) }
            parameters = value.text
        }
        self.init(name: name, definition: definition, parameters: parameters)
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }
}

extension ToolCall {
    /// Reads a call of an earlier answer: `{"id", "type": "function", "function": {"name", "arguments"}}`.
    ///
    /// OpenAI's clients have the arguments as text, Ollama's as an object.
    init(_ fields: Fields) throws(Failure) {
        guard let function = try fields.object("function") else {
            throw fields.missing("function", "an object with a name and arguments")
        }
        let arguments: String
        if case .object? = function["arguments"] {
            arguments = function["arguments"]?.text ?? "{}"
        } else {
            arguments = try function.string("arguments") ?? "{}"
        }
        self.init(
            id: try fields.string("id") ?? "", name: try function.requiredString("name"),
            arguments: arguments)
    }
}
