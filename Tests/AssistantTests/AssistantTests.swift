import AssistantAPI
import History
import Testing

@testable import Assistant

@Suite(.timeLimit(.minutes(5)))
struct AssistantTests {
    @Test func tokensAreToldWithoutLoadingTheModel() async throws {
        let tiny = try TinyAssistant()
        let pieces = try await tiny.assistant.tokenize(
            model: nil, content: "h\u{E9}<|im_end|>", addSpecial: false, parseSpecial: true)
        #expect(pieces.map(\.id) == [104, 0xC3, 0xA9, TinyModel.turnEnd])
        #expect(pieces.map(\.text) == ["h", "", "\u{E9}", ""])
        let plain = try await tiny.assistant.tokenize(
            model: "tiny", content: "<|im_end|>", addSpecial: true, parseSpecial: false)
        #expect(plain.count == 10)
        let text = try await tiny.assistant.detokenize(model: nil, tokens: pieces.map(\.id))
        #expect(text == "h\u{E9}<|im_end|>")
        #expect(tiny.assistant.health().models == [.init(id: "tiny", state: .unloaded)])
        await #expect(throws: AssistantError.self) {
            try await tiny.assistant.detokenize(model: nil, tokens: [300])
        }
        await #expect(throws: AssistantError.self) {
            try await tiny.assistant.tokenize(
                model: "none", content: "", addSpecial: false, parseSpecial: false)
        }
    }

    @Test func healthAndTokensDoNotWaitForTheEngine() async throws {
        let tiny = try TinyAssistant(contextLength: 1 << 20)
        let endless = try await tiny.startEndless()
        #expect(tiny.assistant.health().models == [.init(id: "tiny", state: .loaded)])
        let pieces = try await tiny.assistant.tokenize(
            model: nil, content: "abc", addSpecial: false, parseSpecial: false)
        #expect(pieces.count == 3)
        withExtendedLifetime(endless) {}
    }

    @Test func aConversationRemembersAndUsesItsCache() async throws {
        let tiny = try TinyAssistant()
        let service = tiny.assistant.conversations
        let conversation = try await service.create(.init())
        var usages: [Usage] = []
        for text in ["How do you do?", "And what do you do?"] {
            var settings = GenerationSettings()
            settings.maxTokens = 8
            settings.logitBias = TinyModel.endless
            for try await event in service.send(.init(content: text, settings: settings), to: conversation.id)
            {
                if case .completed(let completed) = event, let usage = completed.message.usage {
                    usages.append(usage)
                }
            }
        }
        #expect(usages.count == 2)
        // All of the first prompt, at least.
        #expect(usages[1].cachedTokens >= usages[0].promptTokens)
        let transcript = try await service.transcript(conversation.id)
        #expect(transcript.messages.map(\.finish) == [nil, .length, nil, .length])
        #expect(transcript.messages.map(\.model) == [nil, "tiny", nil, "tiny"])
        #expect(transcript.conversation.title == "How do you do?")
    }

    @Test func theEndWritesDownWhatWasSaid() async throws {
        let tiny = try TinyAssistant(contextLength: 1 << 20)
        let service = tiny.assistant.conversations
        let conversation = try await service.create(.init())
        var settings = GenerationSettings()
        settings.logitBias = TinyModel.endless
        let stream = service.send(.init(content: "Talk!", settings: settings), to: conversation.id)
        var events = stream.makeAsyncIterator()
        while let event = try await events.next() {
            if case .token = event { break }
        }
        await tiny.assistant.shutDown(within: .zero)
        let reopened = try tiny.reopenHistory()
        let last = try #require(try await reopened.transcript(conversation.id)?.messages.last)
        #expect(last.finish == .interrupted)
        #expect(!last.content.isEmpty)
        try await reopened.close()
        await #expect {
            _ = try await tiny.complete(TinyAssistant.request(.text("x"), tokens: 1))
        } throws: {
            ($0 as? AssistantError)?.code == .shuttingDown
        }
    }

    @Test func theEndLetsShortAnswersFinish() async throws {
        let tiny = try TinyAssistant()
        let service = tiny.assistant.conversations
        let conversation = try await service.create(.init())
        var settings = GenerationSettings()
        settings.logitBias = TinyModel.endless
        settings.maxTokens = 20
        var events = service.send(.init(content: "Talk!", settings: settings), to: conversation.id)
            .makeAsyncIterator()
        _ = try await events.next()
        await tiny.assistant.shutDown(within: .seconds(60))
        let reopened = try tiny.reopenHistory()
        #expect(try await reopened.transcript(conversation.id)?.messages.last?.finish == .length)
        try await reopened.close()
    }

    @Test func unknownModelsAreRefusedEverywhere() async throws {
        let tiny = try TinyAssistant()
        let service = tiny.assistant.conversations
        await #expect(throws: AssistantError.self) { try await service.create(.init(model: "none")) }
        let conversation = try await service.create(.init())
        await #expect(throws: AssistantError.self) {
            try await service.change(conversation.id, .init(model: "none"))
        }
        await #expect {
            for try await _ in service.send(.init(content: "x", model: "none"), to: conversation.id) {}
        } throws: {
            ($0 as? AssistantError)?.code == .modelNotFound
        }
        await #expect(throws: AssistantError.self) { try await tiny.assistant.model("none") }
        #expect(try await tiny.assistant.model("TINY").details?.vocabularySize == 259)
        #expect(try await service.transcript(conversation.id).messages.isEmpty)
    }
}
