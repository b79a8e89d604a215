import AssistantAPI

/// The body of `POST /v1/completions`: one or several prompts, each with a choice of its own.
struct TextCompletionCall: Sendable {
    /// OpenAI's default for this path.
    private static let defaultMaxTokens = 16
    static let maximumPrompts = 256

    let requests: [CompletionRequest]
    let shape: AnswerShape
    var reportsProbabilities: Bool { requests.first?.logprobs != nil }

    init(_ fields: Fields) throws(Failure) {
        if let suffix = try fields.string("suffix"), !suffix.isEmpty {
            throw .unsupported(
                "'suffix' is not supported: the models here write forwards only.", parameter: "suffix")
        }
        var settings = try GenerationSettings(fields)
        settings.maxTokens = settings.maxTokens ?? Self.defaultMaxTokens
        let model = try fields.string("model")
        let logprobs = try fields.integer("logprobs", in: 0...20)
        let echo = try fields.bool("echo") ?? false
        let keepAlive = try fields.keepAlive()
        let constraint = try OutputConstraint.read(fields)
        let count = try AnswerShape.choiceCount(fields)
        requests = try Self.prompts(fields, "prompt", limit: Self.maximumPrompts).flatMap { prompt in
            CompletionRequest(
                model: model, prompt: prompt, settings: settings, logprobs: logprobs, echo: echo,
                keepAlive: keepAlive, constraint: constraint
            ).repeated(count)
        }
        shape = try AnswerShape(fields)
    }

    /// A string, strings, token ids, or arrays of token ids.
    static func prompts(
        _ fields: Fields, _ name: String, limit: Int
    ) throws(Failure) -> [CompletionRequest.Prompt] {
        let expected = "a string, an array of strings, or token ids"
        switch fields[name] {
        case .string(let text): return [.text(text)]
        case .array(let elements):
            guard let first = elements.first else {
                throw .invalid("'\(name)' is empty; it must be \(expected).", parameter: name)
            }
            if case .number = first { return [.tokens(try tokens(elements, path: name))] }
            guard elements.count <= limit else {
                throw .invalid(
                    "'\(name)' has \(elements.count) texts; at most \(limit) are taken.", parameter: name)
            }
            var prompts: [CompletionRequest.Prompt] = []
            for (index, element) in elements.enumerated() {
                prompts.append(try prompt(element, path: "\(name)[\(index)]"))
            }
            return prompts
        case nil: throw fields.missing(name, expected)
        case .some(let value): throw fields.mismatch(name, expected, value)
        }
    }

    private static func prompt(_ json: JSON, path: String) throws(Failure) -> CompletionRequest.Prompt {
        switch json {
        case .string(let text): return .text(text)
        case .array(let elements): return .tokens(try tokens(elements, path: path))
        default:
            throw .invalid(
                "'\(path)' must be a string or an array of token ids, not \(json.kind).",
                parameter: String(path.prefix { $0 != "[" }))
        }
    }

    /// Token ids; whether the vocabulary has them is the model's to say.
    static func tokens(_ elements: [JSON], path: String) throws(Failure) -> [Int32] {
        let parameter = String(path.prefix { $0 != "[" })
        guard !elements.isEmpty else { throw .invalid("'\(path)' is empty.", parameter: parameter) }
        var tokens: [Int32] = []
        tokens.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            guard case .number(let number) = element, let token = number.integer(as: Int32.self), token >= 0
            else {
                throw .invalid("'\(path)[\(index)]' must be a token's id.", parameter: parameter)
            }
            tokens.append(token)
        }
        return tokens
    }
}
