import AssistantAPI

/// The body of `POST /completion`: prompts, and llama-server's own options.
struct LlamaCompletionCall: Sendable {
    let prompts: [LlamaPrompt]
    /// What is asked of each prompt, which is to be put in.
    let request: CompletionRequest
    /// How many answers each prompt gets.
    let count: Int
    let streams: Bool
    /// Whether the whole answer tells its tokens; streamed ones always do.
    let returnsTokens: Bool
    let reportsTimings: Bool
    let reportsProgress: Bool
    /// The fields that the answer is to have, with slashes between names; `nil` is all.
    let responseFields: [String]?

    /// Most tokens that a request may ask for; more than any context holds.
    private static let tokenLimit = 1 << 24
    /// What llama-server shows in place of a seed that was drawn.
    static let drawnSeed = UInt64(UInt32.max)

    /// Options that would change the text, with the values at which they do nothing.
    private static let unsupported: [(name: String, off: ClosedRange<Double>)] = [
        ("mirostat", 0...0), ("typical_p", 1...1e9), ("dynatemp_range", 0...0), ("xtc_probability", -1e9...0),
        ("dry_multiplier", 0...0), ("top_n_sigma", -1e9...0), ("n_indent", -1e9...0),
        ("t_max_predict_ms", -1e9...0), ("min_keep", -1e9...1),
    ]

    init(_ fields: Fields) throws(Failure) {
        try fields.refuse(unlessOff: Self.unsupported)
        try fields.refuse(unlessFalse: ["ignore_eos", "post_sampling_probs", "grammar_lazy"])
        try fields.refuse(unlessEmpty: ["lora", "image_data"])
        prompts = try LlamaPrompt.readAll(fields)
        streams = try fields.bool("stream") ?? false
        returnsTokens = try fields.bool("return_tokens") ?? false
        reportsTimings = try fields.bool("timings_per_token") ?? false
        reportsProgress = try fields.bool("return_progress") ?? false
        responseFields = try Self.responseFields(fields)
        let probabilities = try fields.integer("n_probs", in: 0...20) ?? 0
        var request = CompletionRequest(
            model: try fields.string("model"), prompt: .nothing, settings: try Self.settings(fields),
            logprobs: probabilities > 0 ? probabilities : nil, keepAlive: try fields.keepAlive(),
            constraint: try OutputConstraint.read(fields))
        request.reportsTokens = returnsTokens && !streams
        self.request = request
        if let count = try fields.integer("n_cmpl", in: 1...8) {
            self.count = count
        } else {
            count = try AnswerShape.choiceCount(fields)
        }
    }

    /// One request for each answer to these prompts.
    func requests(_ prompts: [[Int32]]) -> [CompletionRequest] {
        prompts.flatMap { tokens in
            var request = self.request
            request.prompt = .tokens(tokens)
            return request.repeated(count)
        }
    }

    private static func settings(_ fields: Fields) throws(Failure) -> GenerationSettings {
        var settings = try GenerationSettings(fields)
        if let limit = try fields.integer("n_predict", in: -2...tokenLimit) {
            settings.maxTokens = limit < 0 ? nil : limit
        }
        if settings.seed == drawnSeed { settings.seed = nil }
        guard let samplers = try fields.array("samplers") else { return settings }
        // Their order is always the same here, but those that are left out do nothing.
        if !samplers.contains("penalties") {
            (settings.repeatPenalty, settings.presencePenalty, settings.frequencyPenalty) = (1, 0, 0)
        }
        if !samplers.contains("top_k") { settings.topK = 0 }
        if !samplers.contains("top_p") { settings.topP = 1 }
        if !samplers.contains("min_p") { settings.minP = 0 }
        if !samplers.contains("temperature") { settings.temperature = 1 }
        return settings
    }

    private static func responseFields(_ fields: Fields) throws(Failure) -> [String]? {
        guard let elements = try fields.array("response_fields"), !elements.isEmpty else { return nil }
        var names: [String] = []
        for element in elements {
            guard case .string(let name) = element else {
                throw fields.mismatch("response_fields", "an array of strings", element)
            }
            names.append(name)
        }
        return names
    }
}
