import AssistantAPI

extension ConversationDraft {
    init(_ fields: Fields) throws(Failure) {
        self.init(
            title: try fields.string("title"), model: try fields.string("model"),
            system: try fields.string("system"), isPrivate: try fields.bool("is_private"))
    }
}

extension ConversationChange {
    init(_ fields: Fields) throws(Failure) {
        self.init(
            title: try fields.string("title"), model: try fields.string("model"),
            system: try fields.string("system"), head: try fields.string("head"))
    }
}

extension MessageDraft {
    init(_ fields: Fields) throws(Failure) {
        self.init(
            content: try fields.string("content"), edits: try fields.string("edits"),
            regenerates: try fields.string("regenerates"), model: try fields.string("model"),
            pictures: try fields.bool("pictures"), keepAlive: try fields.keepAlive())
        if let settings = try fields.object("settings") { self.settings = try GenerationSettings(settings) }
    }
}

extension GenerationSettings {
    /// Most tokens that a request may ask for; more than any context holds.
    static let tokenLimit = 1 << 24

    /// The sampling fields, by the names that OpenAI's API and llama-server share.
    ///
    /// - Throws: `Failure` 400 that names the field for a value of the wrong type or out of range.
    init(_ fields: Fields) throws(Failure) {
        self.init()
        let newName = try fields.integer("max_completion_tokens", in: 0...Self.tokenLimit)
        let oldName = try fields.integer("max_tokens", in: 0...Self.tokenLimit)
        maxTokens = newName ?? oldName
        temperature = try fields.number("temperature", in: 0...100)
        // -1 is how some clients say "off".
        topK = try fields.integer("top_k", in: -1...1_000_000).map { max(0, $0) }
        topP = try fields.number("top_p", in: 0...1)
        minP = try fields.number("min_p", in: 0...1)
        repeatPenalty = try fields.number("repeat_penalty", in: 0.01...100)
        repeatLastN = try fields.integer("repeat_last_n", in: -1...Self.tokenLimit)
            .map { $0 < 0 ? Self.tokenLimit : $0 }
        presencePenalty = try fields.number("presence_penalty", in: -2...2)
        frequencyPenalty = try fields.number("frequency_penalty", in: -2...2)
        seed = try fields.seed("seed")
        stop = try Self.stop(fields)
        logitBias = try Self.logitBias(fields)
    }

    private static func stop(_ fields: Fields) throws(Failure) -> [String]? {
        let name = fields.path + "stop"
        let strings: [String]
        switch fields["stop"] {
        case nil: return nil
        case .string(let string): strings = [string]
        case .array(let elements):
            var found: [String] = []
            for (index, element) in elements.enumerated() {
                guard case .string(let string) = element else {
                    throw .invalid(
                        "'\(name)[\(index)]' must be a string, not \(element.kind).", parameter: name)
                }
                found.append(string)
            }
            strings = found
        case .some(let value): throw fields.mismatch("stop", "a string or an array of strings", value)
        }
        // The empty string would stop everything at once; harnesses send it to mean nothing.
        return strings.filter { !$0.isEmpty }
    }

    /// OpenAI's object from ids to biases, or llama-server's array of such pairs.
    private static func logitBias(_ fields: Fields) throws(Failure) -> [Int32: Double]? {
        if case .array(let pairs)? = fields["logit_bias"] { return try logitBias(pairs, fields) }
        guard let biases = try fields.object("logit_bias") else { return nil }
        var result: [Int32: Double] = [:]
        for name in biases.names {
            guard let token = Int32(name), token >= 0 else {
                throw .invalid(
                    "'\(biases.path)\(name)': the name must be a token's id.",
                    parameter: fields.path + "logit_bias")
            }
            result[token] = try biases.number(name, in: -100...100)
        }
        return result
    }

    /// `[[id, bias], …]`; `false` keeps a token out, as -100 does.
    private static func logitBias(
        _ pairs: [JSON], _ fields: Fields
    ) throws(Failure) -> [Int32: Double] {
        var result: [Int32: Double] = [:]
        for (index, pair) in pairs.enumerated() {
            let name = "\(fields.path)logit_bias[\(index)]"
            guard case .array(let values) = pair, values.count == 2, case .number(let number) = values[0],
                let token = number.integer(as: Int32.self), token >= 0
            else {
                throw .invalid(
                    "'\(name)' must be a token's id and its bias.", parameter: fields.path + "logit_bias")
            }
            switch values[1] {
            case .bool(false): result[token] = -100
            case .number(let bias) where (-100...100).contains(bias.value): result[token] = bias.value
            default:
                throw .invalid(
                    "'\(name)[1]' must be a number from -100 to 100, or false.",
                    parameter: fields.path + "logit_bias")
            }
        }
        return result
    }
}
