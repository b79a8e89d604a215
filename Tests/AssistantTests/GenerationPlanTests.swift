import AssistantAPI
import Llama
import Settings
import Testing

@testable import Assistant

struct GenerationPlanTests {
    private func plan(
        logprobs: Int? = nil, defaults: Configuration.Chat = Configuration().chat,
        _ change: (inout GenerationSettings) -> Void
    ) throws -> GenerationPlan {
        var settings = GenerationSettings()
        change(&settings)
        return try GenerationPlan(settings, logprobs: logprobs, defaults: defaults, seed: 7)
    }

    @Test func whatIsNotSaidComesFromTheConfiguration() throws {
        var defaults = Configuration().chat
        defaults.temperature = 0.25
        defaults.topK = 11
        defaults.maxTokens = 99
        let plan = try plan(defaults: defaults) { $0.topP = 0.5 }
        #expect(plan.sampling.temperature == 0.25)
        #expect(plan.sampling.topK == 11)
        #expect(plan.sampling.topP == 0.5)
        #expect(plan.sampling.seed == 7)
        #expect(plan.maxTokens == 99)
    }

    @Test func valuesOutOfRangeAreRefusedByName() {
        let cases: [(String, (inout GenerationSettings) -> Void)] = [
            ("temperature", { $0.temperature = -0.1 }), ("temperature", { $0.temperature = .nan }),
            ("temperature", { $0.temperature = 2.5 }), ("top_p", { $0.topP = 1.1 }),
            ("top_k", { $0.topK = -1 }),
            ("min_p", { $0.minP = .infinity }), ("repeat_penalty", { $0.repeatPenalty = 0 }),
            ("repeat_last_n", { $0.repeatLastN = -2 }), ("presence_penalty", { $0.presencePenalty = 3 }),
            ("frequency_penalty", { $0.frequencyPenalty = -3 }), ("max_tokens", { $0.maxTokens = -1 }),
            ("max_tokens", { $0.maxTokens = .max }), ("logit_bias", { $0.logitBias = [5: 101] }),
            ("logit_bias", { $0.logitBias = [-5: 1] }),
            ("stop", { $0.stop = Array(repeating: "x", count: 17) }),
        ]
        for (name, change) in cases {
            let error = #expect(throws: AssistantError.self) { try plan(change) }
            #expect(error?.code == .invalidRequest)
            #expect(error?.parameter == name)
        }
        #expect(throws: AssistantError.self) { try plan(logprobs: 21) { _ in } }
    }

    @Test func theEdgesOfTheRangesAreAccepted() throws {
        _ = try plan(logprobs: 20) {
            $0.temperature = 2
            $0.topP = 0
            $0.topK = 0
            $0.maxTokens = 0
            $0.presencePenalty = -2
            $0.logitBias = [0: -100, 1: 100]
        }
    }
}
