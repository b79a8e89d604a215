import AssistantAPI
import Grammars
import Llama
import Settings

/// The settings of one request with every default filled in and every range checked.
struct GenerationPlan: Sendable {
    /// `nil` goes on until the model stops or the context is full.
    var maxTokens: Int?
    var sampling: Sampler.Settings
    var stop: [String]
    /// How many alternatives to report; `nil` reports no probabilities.
    var alternatives: Int?
    var echo: Bool
    /// Whether the summary tells all tokens.
    var reportsTokens = false
    /// What the answer must be.
    var constraint: Constraint?
    /// The functions that the answer may call.
    var toolUse: ToolUse?

    /// What was asked for, and its grammar.
    struct Constraint: Sendable {
        var source: OutputConstraint
        var grammar: Grammar
        /// Whether it holds only for what the answer begins by itself: calls of functions.
        var isLazy = false
    }

    /// Whether every token of the prompt gets its probability, which takes an evaluation from the beginning.
    var scoresPrompt: Bool { echo && alternatives != nil }

    /// - Throws: `invalidRequest` naming the field that is out of its range.
    init(
        _ settings: GenerationSettings, logprobs: Int? = nil, echo: Bool = false,
        defaults: Configuration.Chat, seed: UInt64
    ) throws(AssistantError) {
        try Self.check(settings.maxTokens, in: 0...Int(Int32.max), "max_tokens")
        try Self.check(settings.temperature, in: 0...2, "temperature")
        try Self.check(settings.topK, in: 0...Int(Int32.max), "top_k")
        try Self.check(settings.topP, in: 0...1, "top_p")
        try Self.check(settings.minP, in: 0...1, "min_p")
        try Self.check(settings.repeatPenalty, in: 0.01...10, "repeat_penalty")
        try Self.check(settings.repeatLastN, in: 0...Int(Int32.max), "repeat_last_n")
        try Self.check(settings.presencePenalty, in: -2...2, "presence_penalty")
        try Self.check(settings.frequencyPenalty, in: -2...2, "frequency_penalty")
        try Self.check(logprobs, in: 0...20, "logprobs")
        let filled = settings.filled(from: defaults)
        maxTokens = filled.maxTokens
        stop = filled.stop ?? []
        guard stop.count <= 16, stop.allSatisfy({ $0.utf8.count <= 1024 }) else {
            throw AssistantError(
                .invalidRequest, "stop takes at most 16 strings of at most 1024 bytes each.",
                parameter: "stop")
        }
        for (token, bias) in settings.logitBias ?? [:] {
            try Self.check(Int(token), in: 0...Int(Int32.max), "logit_bias")
            try Self.check(bias, in: -100...100, "logit_bias")
        }
        alternatives = logprobs
        self.echo = echo
        var sampling = Sampler.Settings()
        sampling.temperature = filled.temperature.map { Float($0) } ?? sampling.temperature
        sampling.topK = filled.topK ?? sampling.topK
        sampling.topP = filled.topP.map { Float($0) } ?? sampling.topP
        sampling.minP = filled.minP.map { Float($0) } ?? sampling.minP
        sampling.repeatPenalty = filled.repeatPenalty.map { Float($0) } ?? sampling.repeatPenalty
        sampling.repeatLastN = filled.repeatLastN ?? sampling.repeatLastN
        sampling.presencePenalty = filled.presencePenalty.map { Float($0) } ?? sampling.presencePenalty
        sampling.frequencyPenalty =
            filled.frequencyPenalty.map { Float($0) } ?? sampling.frequencyPenalty
        sampling.logitBias = (settings.logitBias ?? [:]).mapValues { Float($0) }
        sampling.seed = settings.seed ?? seed
        self.sampling = sampling
    }

    private static func check<Value: Comparable>(
        _ value: Value?, in range: ClosedRange<Value>, _ name: String
    ) throws(AssistantError) {
        guard let value, !range.contains(value) else { return }
        throw AssistantError(
            .invalidRequest,
            "\(name) is \(value), but must be between \(range.lowerBound) and \(range.upperBound).",
            parameter: name)
    }
}

extension GenerationSettings {
    /// The same with the configuration's values where nothing was said; a seed is nobody's default.
    func filled(from defaults: Configuration.Chat) -> GenerationSettings {
        var filled = self
        filled.maxTokens = maxTokens ?? defaults.maxTokens
        filled.temperature = temperature ?? defaults.temperature
        filled.topK = topK ?? defaults.topK
        filled.topP = topP ?? defaults.topP
        filled.minP = minP ?? defaults.minP
        filled.repeatPenalty = repeatPenalty ?? defaults.repeatPenalty
        filled.repeatLastN = repeatLastN ?? defaults.repeatLastN
        filled.presencePenalty = presencePenalty ?? defaults.presencePenalty
        filled.frequencyPenalty = frequencyPenalty ?? defaults.frequencyPenalty
        return filled
    }
}
