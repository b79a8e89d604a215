import AssistantAPI

/// The bodies of `POST /api/embed` and of the older `POST /api/embeddings`, and their answers.
struct OllamaEmbedCall: Sendable {
    /// As it was asked for; clients read it back.
    let model: String
    let keepAlive: KeepAlive?
    /// `nil` where there is no text: the model is brought into memory.
    let request: EmbeddingRequest?

    /// - Parameters:
    ///   - fields: The body.
    ///   - field: Where the texts are: `input`, or the older call's `prompt`.
    /// - Throws: `Failure` 400 that names the field that is wrong.
    init(_ fields: Fields, _ field: String) throws(Failure) {
        model = try OllamaCall.model(fields)
        keepAlive = try fields.keepAlive()
        let inputs = try Self.inputs(fields, field)
        let dimensions = try fields.integer("dimensions", in: 0...1 << 20)
        let truncates = try fields.bool("truncate") ?? true
        request =
            inputs.isEmpty
            ? nil
            : EmbeddingRequest(
                model: model, inputs: inputs, dimensions: dimensions == 0 ? nil : dimensions,
                truncates: truncates, keepAlive: keepAlive)
    }

    private static func inputs(_ fields: Fields, _ field: String) throws(Failure)
        -> [CompletionRequest.Prompt]
    {
        let value = fields[field]
        if value == nil || value == "" || value == [] { return [] }
        guard case .array(let elements) = value else {
            return [.text(try fields.requiredString(field))]
        }
        var inputs: [CompletionRequest.Prompt] = []
        for (index, element) in elements.enumerated() {
            guard case .string(let text) = element else {
                throw .invalid(
                    "'\(field)[\(index)]' must be a string, not \(element.kind).", parameter: field)
            }
            inputs.append(.text(text))
        }
        return inputs
    }

    /// The answer of `POST /api/embed`.
    func answer(_ embeddings: Embeddings?, _ frame: OllamaFrame) -> JSON {
        var members: [(String, JSON)] = [
            ("model", .string(model)),
            ("embeddings", .array((embeddings?.vectors ?? []).map { JSON($0) })),
        ]
        if let embeddings {
            members += frame.times(loading: embeddings.timings.loading)
            members.append(("prompt_eval_count", JSON(embeddings.promptTokens)))
        }
        return JSON(members)
    }
}
