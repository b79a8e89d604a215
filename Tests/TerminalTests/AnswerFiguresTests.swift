import AssistantAPI
import Foundation
import Testing

@testable import Terminal

@Suite struct AnswerFiguresTests {
    private func line(_ usage: Usage?, firstToken: Double = 42.4, decode: Double = 2950) -> String? {
        let message = Message(
            id: "m", conversation: "c", role: .assistant, content: "",
            createdAt: Date(timeIntervalSince1970: 0),
            usage: usage)
        return AnswerFigures.line(
            .init(
                message: message,
                timings: .init(queued: 0, loading: 0, prefill: 1, decode: decode, firstToken: firstToken)))
    }

    private func usage(_ prompt: Int, cached: Int, _ completion: Int) -> Usage {
        Usage(promptTokens: prompt, cachedTokens: cached, completionTokens: completion)
    }

    @Test func anAnswerIsToldByItsTimesAndTokens() {
        #expect(
            line(usage(40, cached: 36, 180))
                == "first token 42 ms · 180 tokens · 61 tokens/s · 36 of 40 prompt tokens read before Enter")
        #expect(
            line(usage(9, cached: 0, 20), firstToken: 1234, decode: 4000)
                == "first token 1.23 s · 20 tokens · 5.0 tokens/s · 0 of 9 prompt tokens read before Enter")
        // A single token has no rate.
        #expect(
            line(usage(9, cached: 8, 1), decode: 0)
                == "first token 42 ms · 1 token · 8 of 9 prompt tokens read before Enter")
        #expect(line(nil) == nil)
    }

    @Test func numbersOfTheDaemonAreNotTrustedToMakeSense() {
        #expect(line(usage(0, cached: 0, 5), firstToken: .nan, decode: -1) == "5 tokens")
        #expect(line(usage(-3, cached: 9, .min), firstToken: .infinity, decode: .nan) == "0 tokens")
        #expect(line(usage(0, cached: 0, .max), firstToken: -1, decode: 1e300)?.hasSuffix("tokens/s") == true)
    }
}
