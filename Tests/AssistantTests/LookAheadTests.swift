import AssistantAPI
import Settings
import Testing

@testable import Assistant

/// Prompts that are evaluated while they are typed, on tiny models.
@Suite(.timeLimit(.minutes(5)))
struct LookAheadTests {
    private static let talk = [
        ChatMessage(role: .user, content: "What is ink?"),
        ChatMessage(role: .assistant, content: "Soot and gum."),
    ]

    private func chat(_ text: String) -> CompletionRequest.Prompt {
        .chat(Self.talk + [ChatMessage(role: .user, content: text)])
    }

    /// Has the engine evaluate what was typed, to the end of it.
    private func type(_ text: String, in tiny: TinyAssistant, conversation: String = "c") async throws {
        try tiny.assistant.core.expect(CompletionRequest(prompt: chat(text)), in: conversation)
        await tiny.assistant.core.engine.gate.idle()
    }

    private func send(
        _ text: String, in tiny: TinyAssistant, conversation: String = "c"
    ) async throws -> TinyAssistant.Outcome {
        var request = TinyAssistant.request(chat(text), tokens: 12, seed: 3)
        request.logprobs = 4
        let running = try tiny.assistant.core.start(request, lane: conversation, owner: conversation)
        var outcome = TinyAssistant.Outcome()
        for try await event in running.events { outcome.events.append(event) }
        return outcome
    }

    /// Words of together `length` letters.
    private func words(_ length: Int) -> String {
        String(String(repeating: "ink on paper ", count: length / 13 + 1).prefix(length))
    }

    @Test(arguments: [10, 29, 30, 31, 32, 33, 34, 35, 36, 37, 90, 158, 159, 160, 161, 162, 300, 420])
    func whatWasTypedBeforeDoesNotChangeTheAnswer(length: Int) async throws {
        let text = words(length)
        let cold = try await send(text, in: TinyAssistant(contextLength: 1024))
        let tiny = try TinyAssistant(contextLength: 1024)
        for part in [length / 3, length / 2, length * 2 / 3, length] {
            try await type(TypedText.stablePart(of: String(text.prefix(part))), in: tiny)
        }
        let warm = try await send(text, in: tiny)
        #expect(warm.text == cold.text)
        #expect(warm.tokens.map(\.id) == cold.tokens.map(\.id))
        // Float weights, as these are, sum a last row or two in an order of their own.
        for (one, other) in zip(warm.tokens, cold.tokens) {
            #expect(abs((one.logprob ?? 1) - (other.logprob ?? 2)) < 1e-4)
        }
        #expect(warm.summary?.usage.promptTokens == cold.summary?.usage.promptTokens)
        #expect(cold.summary?.usage.cachedTokens == 0)
        #expect((warm.summary?.usage.cachedTokens ?? 0) > 0)
    }

    @Test func onlyTheLastWordAndTheFormatsTailAreLeftForTheEnd() async throws {
        let tiny = try TinyAssistant(contextLength: 1024)
        try await type("Is it made of soot", in: tiny)
        let answer = try await send("Is it made of soot or oak", in: tiny)
        let usage = try #require(answer.summary?.usage)
        let tail = " or oak".utf8.count + 1 + 1 + 1 + "assistant\n".utf8.count
        #expect(usage.promptTokens - usage.cachedTokens <= tail + 1)
        let counters = tiny.assistant.core.engine.counters.now
        #expect(counters.drafts == 1)
        #expect(counters.tokensAhead == usage.cachedTokens)
        #expect(counters.tokensAheadUsed == usage.cachedTokens)
        #expect(counters.firstTokenAhead.count == 1)
        #expect(counters.firstTokenCold.count == 0)
    }

    @Test func anEditRollsBackToTheLastTokenThatIsTheSame() async throws {
        let tiny = try TinyAssistant(contextLength: 1024)
        try await type("a quick brown fox jumps over the lazy dog", in: tiny)
        try await type("a quick red", in: tiny)
        let warm = try await send("a quick red fox", in: tiny)
        let cold = try await send("a quick red fox", in: TinyAssistant(contextLength: 1024))
        #expect(warm.tokens.map(\.id) == cold.tokens.map(\.id))
        let usage = try #require(warm.summary?.usage)
        #expect(usage.promptTokens - usage.cachedTokens < 25)
    }

    @Test func anotherRequestInterruptsItAtOnce() async throws {
        let tiny = try TinyAssistant(contextLength: 1 << 20)
        let gate = tiny.assistant.core.engine.gate
        let typed = String(repeating: "all work and no play ", count: 1500)
        try tiny.assistant.core.expect(CompletionRequest(prompt: chat(typed)), in: "typing")
        let short = try await tiny.complete(TinyAssistant.request(.text("short"), tokens: 5))
        #expect(short.tokens.count == 5)
        // Had it been done by now, no draft would be left.
        #expect(!gate.waitingDrafts.isEmpty)
        #expect(tiny.assistant.core.engine.counters.now.tokensAhead < typed.utf8.count)
        gate.dropDraft(of: "typing")
        await gate.idle()
    }

    @Test func whatCannotBeKeptIsNotEvaluatedForEver() async throws {
        let tiny = try TinyAssistant(contextLength: 1024) { $0.chat.cacheMemory = 1 }
        // Comes back only when the engine has nothing to do any more.
        try await type(words(300), in: tiny)
        #expect(tiny.assistant.core.engine.counters.now.tokensAhead <= PromptCut.ahead)
    }

    @Test func aMessageTakesThePlaceOfItsDraft() async throws {
        let tiny = try TinyAssistant(contextLength: 1 << 20)
        let gate = tiny.assistant.core.engine.gate
        let typed = String(repeating: "all work and no play ", count: 1500)
        try tiny.assistant.core.expect(CompletionRequest(prompt: chat(typed)), in: "c")
        #expect(!gate.waitingDrafts.isEmpty)
        let answer = try await send("Never mind", in: tiny)
        #expect(answer.tokens.count == 12)
        #expect(gate.waitingDrafts.isEmpty)
        await gate.idle()
    }

    @Test func aDraftPutsNoOtherModelInMemory() async throws {
        let tiny = try TinyAssistant(names: ["tiny", "other"])
        _ = try await send("Hello", in: tiny)
        let typed = CompletionRequest(model: "other", prompt: chat("Hello there you"))
        try tiny.assistant.core.expect(typed, in: "d")
        await tiny.assistant.core.engine.gate.idle()
        #expect(tiny.assistant.core.engine.gate.resident?.model.name == "tiny")
        #expect(throws: AssistantError.self) {
            try tiny.assistant.core.expect(CompletionRequest(model: "none", prompt: chat("Hi")), in: "d")
        }
    }

    @Test func theFirstDraftBringsTheModelIntoMemory() async throws {
        let tiny = try TinyAssistant()
        try await type("", in: tiny)
        #expect(tiny.assistant.core.engine.gate.resident?.state == .loaded)
        // The conversation itself is evaluated before anything is typed.
        #expect(tiny.assistant.core.engine.counters.now.tokensAhead > 40)
    }

    @Test func theNewestDraftOfEachConversationIsKept() {
        var line = DraftLine<String>(limit: 2)
        line.put("a1", id: 1, conversation: "a")
        line.put("a2", id: 2, conversation: "a")
        line.put("b1", id: 3, conversation: "b")
        #expect(line.count == 2)
        #expect(line.next == "b1")
        line.remove(id: 1)
        #expect(line.count == 2)
        line.put("c1", id: 4, conversation: "c")
        line.remove(id: 4)
        #expect(line.next == "b1")
        line.remove(conversation: "b")
        #expect(line.isEmpty)
    }
}
