import AssistantAPI

/// What the calls of Ollama's API that answer have in common.
struct OllamaCall: Sendable {
    /// As it was asked for; clients read it back.
    let model: String
    let streams: Bool
    let keepAlive: KeepAlive?

    init(_ fields: Fields) throws(Failure) {
        model = try Self.model(fields)
        streams = try fields.bool("stream") ?? true
        keepAlive = try fields.keepAlive()
    }

    /// What is to be done where there is nothing to answer: a model comes into memory, or leaves it at once.
    var emptyWork: Work { keepAlive == .seconds(0) ? .unload : .load }

    /// What a call asks for.
    enum Work: Sendable, Equatable {
        case load
        case unload
        case answer(CompletionRequest)
        case picture(PictureRequest)
    }

    /// The request for an answer, with what both calls have by the same names.
    ///
    /// - Throws: `Failure` 400 that names the field that is wrong, or that this daemon does not do.
    func completion(_ prompt: CompletionRequest.Prompt, _ fields: Fields) throws(Failure) -> CompletionRequest
    {
        try Self.refuseUnsupported(fields)
        return CompletionRequest(
            model: model, prompt: prompt, settings: try GenerationSettings(ollama: fields),
            logprobs: try Self.logprobs(fields), keepAlive: keepAlive, constraint: try Self.format(fields))
    }

    /// The model's name, which older clients call `name`.
    static func model(_ fields: Fields) throws(Failure) -> String {
        for name in ["model", "name"] {
            if let text = try fields.string(name), !text.isEmpty { return text }
        }
        throw fields.missing("model", "a model's name")
    }

    /// The name that clients are told: all of them have a tag.
    static func name(of id: String) -> String {
        let last = id.split(separator: "/").last ?? ""
        return last.contains(":") ? id : id + ":latest"
    }

    /// - Throws: `Failure` for pictures that a chat model is to look at.
    static func refuseImages(_ fields: Fields) throws(Failure) {
        guard let images = try fields.array("images"), !images.isEmpty else { return }
        throw .unsupported(
            "This model cannot see: '\(fields.path)images' are not supported, as the models here read text only.",
            parameter: fields.path + "images")
    }

    private static func logprobs(_ fields: Fields) throws(Failure) -> Int? {
        let count = try fields.integer("top_logprobs", in: 0...20)
        return try fields.bool("logprobs") == true ? count ?? 0 : nil
    }

    /// `format`: any JSON object, or what is valid by a schema.
    private static func format(_ fields: Fields) throws(Failure) -> OutputConstraint? {
        switch fields["format"] {
        case nil, ""?: return nil
        case "json"?: return .jsonObject
        case .string(let name)?:
            throw .invalid(
                "'format' must be json or a JSON schema, not '\(name.prefix(80))'.", parameter: "format")
        default: return try fields.schema("format")
        }
    }

    /// What would change the answer's meaning if it were ignored is refused by name.
    private static func refuseUnsupported(_ fields: Fields) throws(Failure) {
        if let think = fields["think"], think != false {
            throw .unsupported("'think' is not supported: the models here don't think.", parameter: "think")
        }
        for name in ["truncate", "shift"] where try fields.bool(name) == false {
            throw .unsupported(
                "'\(name)' false is not supported: what doesn't fit into the context is left out.",
                parameter: name)
        }
    }
}

extension GenerationSettings {
    /// Ollama's `options`: those that choose tokens count, those of the machine are left to the configuration.
    ///
    /// - Throws: `Failure` 400 that names an option of the wrong type or out of range, or one that would change the
    ///   answer and is not known here.
    init(ollama fields: Fields) throws(Failure) {
        guard let options = try fields.object("options") else {
            self.init()
            return
        }
        try self.init(options)
        // 0 and below go on until the model stops.
        maxTokens = try options.integer("num_predict", in: -2...1 << 24).flatMap { $0 > 0 ? $0 : nil }
        try options.refuse(unlessOff: [("mirostat", 0...0), ("typical_p", 1...1), ("tfs_z", 1...1)])
    }
}
