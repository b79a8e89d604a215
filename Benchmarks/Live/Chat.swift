import ArgumentParser
import AssistantAPI
import Foundation
import Terminal

/// Time to the first token after Enter, with what is typed evaluated ahead and without.
struct Chat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Answers after Enter.")

    @OptionGroup var daemon: DaemonOptions

    @Option(help: "The chat model; the daemon's default where none is named.")
    var model: String?

    @Option(help: "How fast is typed, in words (of five keys) a minute.")
    var wordsPerMinute = 70

    @Option(help: "How many messages with and without.")
    var messages = 4

    @Option(help: "Decides when each key is pressed, and which are wrong.")
    var seed: UInt64 = 1

    private static let questions = [
        "Please explain to me in a few words why the sky is blue at noon and red in the evening",
        "What should I pack into a small bag for three days of walking in the mountains in autumn",
        "Tell me a short story about a lighthouse keeper who finds a letter in a bottle on the beach",
        "How do I bake a simple bread at home when I only have flour and water and a little salt",
    ]

    private struct Sample: Encodable {
        var isDrafted: Bool
        /// Milliseconds from Enter to the first token.
        var firstToken: Double
        /// Milliseconds of one token afterwards.
        var decodeStep: Double
        var promptTokens: Int
        var cachedTokens: Int
        /// Milliseconds in which the daemon evaluated the tokens that were left: the template's tail, at least.
        var evaluation: Double
    }

    private struct Report: Encodable {
        var samples: [Sample]
        /// Medians, in milliseconds.
        var firstTokenDrafted: Double
        var firstTokenPlain: Double
        var decodeStep: Double
        /// Of those with prefill while typing: what was left to evaluate at Enter, and how long that took.
        var tokensLeft: Double
        var evaluation: Double
    }

    func run() async throws {
        var samples: [Sample] = []
        _ = try await ask(index: 0, isDrafted: false)
        for index in 0..<messages {
            for isDrafted in index % 2 == 0 ? [true, false] : [false, true] {
                samples.append(try await ask(index: index, isDrafted: isDrafted))
            }
        }
        func median(_ value: (Sample) -> Double, drafted: Bool) -> Double {
            samples.filter { $0.isDrafted == drafted }.map(value).quantile(0.5)
        }
        try printJSON(
            Report(
                samples: samples, firstTokenDrafted: median(\.firstToken, drafted: true),
                firstTokenPlain: median(\.firstToken, drafted: false),
                decodeStep: samples.map(\.decodeStep).quantile(0.5),
                tokensLeft: median({ Double($0.promptTokens - $0.cachedTokens) }, drafted: true),
                evaluation: median(\.evaluation, drafted: true)))
    }

    /// Types a message into a new private conversation and sends it.
    private func ask(index: Int, isDrafted: Bool) async throws -> Sample {
        let client = daemon.client
        let conversation = try await client.create(ConversationDraft(model: model, isPrivate: true))
        let question = Self.questions[index % Self.questions.count]
        let trace = TypingTrace(
            Prompt(text: question, word: "", otherWord: ""), wordsPerMinute: wordsPerMinute,
            seed: seed &* 1000 &+ UInt64(index))
        let start = ContinuousClock.now
        for key in trace.keystrokes {
            try await Task.sleep(until: start + key.time)
            if isDrafted { try await put(TypedDraft(text: key.text), in: conversation.id, client) }
        }
        // Enter is a key like any other.
        try await Task.sleep(for: .seconds(60 / (Double(wordsPerMinute) * 5)))
        let answer = Arrivals()
        var draft = MessageDraft(content: trace.finalText)
        var settings = GenerationSettings()
        (settings.maxTokens, settings.temperature) = (32, 0)
        draft.settings = settings
        let enter = ContinuousClock.now
        try await client.send(draft, to: conversation.id) { event in
            switch event {
            case .token: await answer.token(after: ContinuousClock.now - enter)
            case .completed(let completed): await answer.complete(completed)
            case .failed(let failure): throw failure.error
            default: break
            }
        }
        _ = try await client.delete(conversation.id, now: true)
        return await Sample(
            isDrafted: isDrafted, firstToken: answer.times.first ?? .infinity,
            decodeStep: answer.step, promptTokens: answer.usage?.promptTokens ?? 0,
            cachedTokens: answer.usage?.cachedTokens ?? 0, evaluation: answer.evaluation)
    }

    private func put(_ draft: TypedDraft, in id: String, _ client: DaemonClient) async throws {
        let body = try Wire.encoder().encode(draft)
        _ = try await client.transport.send(
            .init("PUT", "/inkling/v1/conversations/\(id)/draft", body: body))
    }

    /// When an answer's tokens came.
    private actor Arrivals {
        private(set) var times: [Double] = []
        private(set) var usage: Usage?
        private(set) var evaluation = 0.0

        func token(after time: Duration) { times.append(time.milliseconds) }
        func complete(_ completed: ChatEvent.Completed) {
            usage = completed.message.usage
            evaluation = completed.timings.prefill
        }

        /// Milliseconds between two tokens, in the mean.
        var step: Double {
            guard let first = times.first, let last = times.last, times.count > 1 else { return 0 }
            return (last - first) / Double(times.count - 1)
        }
    }
}
