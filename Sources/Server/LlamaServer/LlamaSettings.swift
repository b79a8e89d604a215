import AssistantAPI

/// How an answer is made, in the words of llama-server's `generation_settings`.
enum LlamaSettings {
    /// The steps by which tokens are chosen, in their order.
    private static let samplers: JSON = ["penalties", "top_k", "top_p", "min_p", "temperature"]

    /// `settings` with the configuration's values where the request said nothing, and what was asked beside them.
    static func json(
        _ settings: GenerationSettings, _ request: CompletionRequest? = nil, streams: Bool = true
    ) -> JSON {
        let limit = JSON(settings.maxTokens ?? -1)
        let members: [(String, JSON)] = [
            ("n_predict", limit), ("max_tokens", limit),
            ("seed", .number(JSONNumber(settings.seed ?? LlamaCompletionCall.drawnSeed))),
        ]
        let bias = (settings.logitBias ?? [:]).sorted { $0.key < $1.key }
        let rest: [(String, JSON)] = [
            ("logit_bias", .array(bias.map { ["token": JSON(Int($0.key)), "bias": JSON($0.value)] })),
            ("stop", .array((settings.stop ?? []).map(JSON.string))), ("n_keep", 0), ("n_discard", 0),
            ("ignore_eos", false), ("stream", .bool(streams)), ("n_probs", JSON(request?.logprobs ?? 0)),
            ("min_keep", 0), ("grammar", .string(grammar(request?.constraint))), ("samplers", samplers),
        ]
        return JSON(members + sampling(settings) + rest)
    }

    private static func sampling(_ settings: GenerationSettings) -> [(String, JSON)] {
        let values: [(String, JSON)] = [
            ("temperature", JSON(settings.temperature)), ("top_k", JSON(settings.topK ?? 0)),
            ("top_p", JSON(settings.topP)), ("min_p", JSON(settings.minP)),
            ("repeat_last_n", JSON(settings.repeatLastN ?? 0)),
            ("repeat_penalty", JSON(settings.repeatPenalty)),
            ("presence_penalty", JSON(settings.presencePenalty)),
            ("frequency_penalty", JSON(settings.frequencyPenalty)),
        ]
        // What there is none of here, at the values that say so.
        let others: [(String, JSON)] = [
            ("dynatemp_range", 0), ("dynatemp_exponent", 1), ("typical_p", 1), ("top_n_sigma", -1),
            ("xtc_probability", 0), ("dry_multiplier", 0), ("mirostat", 0),
        ]
        return values + others
    }

    /// The grammar as it was given; of a schema nothing, as it never becomes GBNF here.
    private static func grammar(_ constraint: OutputConstraint?) -> String {
        if case .grammar(let text)? = constraint { text } else { "" }
    }
}
