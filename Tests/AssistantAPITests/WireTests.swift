import AssistantAPI
import Foundation
import Testing

/// Every type that goes over the wire comes back as it was, under the names that clients know.
@Suite struct WireTests {
    /// Milliseconds are what the wire keeps of a time.
    private static let time = Date(timeIntervalSince1970: 1_800_000_000.125)

    private static let conversation = Conversation(
        id: "01c", title: "Ink \"\u{0}\n", model: "/m.gguf", system: "s", createdAt: time,
        updatedAt: time.addingTimeInterval(1), head: "01m", messageCount: 3, erasedAt: time, isPrivate: true)

    private static let message = Message(
        id: "01m", conversation: "01c", parent: "01l", role: .assistant, content: "Hello 👩‍👩‍👧", createdAt: time,
        finish: .cancelled, error: "e", model: "m",
        usage: Usage(promptTokens: 3, cachedTokens: 2, completionTokens: 1), siblingCount: 2, siblingIndex: 1)

    private static let timings = Timings(queued: 1, loading: 2, prefill: 3.5, decode: 4, firstToken: 5)

    private static var settings: GenerationSettings {
        var settings = GenerationSettings()
        settings.maxTokens = 0
        settings.temperature = 0.5
        settings.topK = 1
        settings.topP = 0.25
        settings.minP = 0.125
        settings.repeatPenalty = 1.5
        settings.repeatLastN = 64
        settings.presencePenalty = -1
        settings.frequencyPenalty = 2
        settings.seed = .max
        settings.stop = ["\n", "END"]
        settings.logitBias = [128_001: -100, 5: 0.5]
        return settings
    }

    private func json(_ value: some Encodable) throws -> String {
        String(decoding: try Wire.encoder().encode(value), as: UTF8.self)
    }

    private func comesBack<Value: Codable & Equatable>(
        _ value: Value, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let data = try Wire.encoder().encode(value)
        #expect(try Wire.decoder().decode(Value.self, from: data) == value, sourceLocation: sourceLocation)
    }

    @Test func everyRecordComesBack() throws {
        try comesBack(Self.conversation)
        try comesBack(Conversation(id: "x", createdAt: Self.time, updatedAt: Self.time))
        try comesBack(Self.message)
        try comesBack(Message(id: "x", conversation: "c", role: .user, content: "", createdAt: Self.time))
        try comesBack(Transcript(conversation: Self.conversation, messages: [Self.message]))
        try comesBack(ConversationList(conversations: [Self.conversation], next: "7"))
        try comesBack(
            SearchResults(matches: [
                SearchMatch(conversation: Self.conversation, message: nil, snippet: "\u{2068}a\u{2069}")
            ]))
        try comesBack(Self.timings)
        try comesBack(
            CompletionSummary(
                finish: .length, usage: Usage(promptTokens: 1, cachedTokens: 0, completionTokens: 2),
                timings: Self.timings))
        let alternative = TokenPiece.Alternative(id: 2, bytes: [0xFF], logprob: -1.5)
        try comesBack(
            TokenPiece(id: 1, text: "é", bytes: [0xC3, 0xA9], logprob: -0.5, alternatives: [alternative]))
        try comesBack(
            ModelSummary(
                id: "m", path: "/m", state: .loading, bytes: 5,
                details: .init(
                    architecture: "llama", parameterCount: 8_030_261_312, contextLength: 131_072,
                    vocabularySize: 128_256, hiddenSize: 4096, layerCount: 32, quantization: "q4_K")))
        try comesBack(
            ModelSummary(
                id: "p", path: "/p", kind: .picture, state: .unloaded, bytes: 5,
                pictureDetails: .init(
                    family: "sd1", parameterCount: 1_066_235_307, width: 512, height: 512, factor: 8,
                    scheduler: "pndm", prediction: "epsilon", decoders: ["full", "tiny"])))
        try comesBack(
            Health(status: "ok", version: "0.1.0", pid: 1, models: [.init(id: "m", state: .loaded)]))
        try comesBack(AssistantError(.queueFull, "wait", parameter: "model", retryAfter: 5))
    }

    @Test func everyRequestComesBack() throws {
        try comesBack(ConversationDraft(title: "t", model: "m", system: "s", isPrivate: true))
        try comesBack(ConversationChange(title: "t", model: "", system: "s", head: "h"))
        try comesBack(MessageDraft(content: "c", edits: "e", model: "m", settings: Self.settings))
        try comesBack(MessageDraft(regenerates: "r"))
        try comesBack(Self.settings)
        try comesBack(ChatMessage(role: .system, content: "s"))
    }

    @Test func emptyBodiesAreRequestsThatLeaveEverythingOpen() throws {
        let empty = Data("{}".utf8)
        #expect(try Wire.decoder().decode(ConversationDraft.self, from: empty) == ConversationDraft())
        #expect(try Wire.decoder().decode(ConversationChange.self, from: empty) == ConversationChange())
        #expect(try Wire.decoder().decode(MessageDraft.self, from: empty) == MessageDraft())
        #expect(try Wire.decoder().decode(GenerationSettings.self, from: empty) == GenerationSettings())
        #expect(try json(GenerationSettings()) == "{}")
    }

    @Test func namesAreSnakeCaseAndTimesHaveMilliseconds() throws {
        #expect(
            try json(Self.message)
                == #"{"content":"Hello 👩‍👩‍👧","conversation":"01c","created_at":"2027-01-15T08:00:00.125Z","#
                + #""error":"e","finish":"cancelled","id":"01m","model":"m","parent":"01l","role":"assistant","#
                + #""sibling_count":2,"sibling_index":1,"#
                + #""usage":{"cached_tokens":2,"completion_tokens":1,"prompt_tokens":3}}"#)
        #expect(
            try json(Self.settings)
                == #"{"frequency_penalty":2,"logit_bias":{"128001":-100,"5":0.5},"max_tokens":0,"min_p":0.125,"#
                + #""presence_penalty":-1,"repeat_last_n":64,"repeat_penalty":1.5,"seed":18446744073709551615,"#
                + #""stop":["\n","END"],"temperature":0.5,"top_k":1,"top_p":0.25}"#)
        #expect(
            try json(AssistantError(.contextLengthExceeded, "m"))
                == #"{"code":"context_length_exceeded","message":"m"}"#)
    }

    @Test(arguments: [
        #"{"logit_bias":{"x":1}}"#, #"{"logit_bias":{"4294967296":1}}"#, #"{"logit_bias":[1,2]}"#,
        #"{"max_tokens":1.5}"#, #"{"max_tokens":99999999999999999999}"#, #"{"seed":-1}"#, #"{"stop":"x"}"#,
        "[]",
    ])
    func settingsOfAnotherShapeAreRefused(body: String) {
        #expect(throws: DecodingError.self) {
            try Wire.decoder().decode(GenerationSettings.self, from: Data(body.utf8))
        }
    }

    @Test(arguments: ["", "yesterday", "2027-01-15", "2027-13-45T00:00:00.000Z"])
    func whatIsNoTimeIsRefused(text: String) {
        #expect(throws: (any Error).self) {
            try Wire.decoder().decode(Date.self, from: Data("\"\(text)\"".utf8))
        }
    }

    // MARK: - Events

    private static let events: [(String, ChatEvent)] = [
        ("accepted", .accepted(.init(message: message, answer: "01n", model: "m"))),
        ("accepted", .accepted(.init(message: nil, answer: "01n", model: "m"))),
        ("queued", .queued(.init(ahead: 2))),
        ("loading", .loading(.init(fraction: 0.5))),
        ("prefill", .prefill(.init(total: 10, cached: 4, processed: 6, milliseconds: 1.5))),
        ("notice", .notice(.init(code: "context_shifted", message: "older messages were left out"))),
        ("token", .token(.init(text: "\n\r\u{2028}"))),
        ("completed", .completed(.init(message: message, timings: timings))),
        ("failed", .failed(.init(error: .init(.outOfMemory, "m"), message: message))),
        ("failed", .failed(.init(error: .init(.cancelled, "m"), message: nil))),
    ]

    @Test func everyEventComesBackByItsName() throws {
        for (name, event) in Self.events {
            #expect(event.name == name)
            let data = try event.data()
            #expect(try ChatEvent(name: name, data: data) == event)
            // One `data:` line in the stream.
            #expect(!data.contains(0x0A) && !data.contains(0x0D))
        }
    }

    @Test func eventsOfALaterVersionAreSkippedAndBrokenOnesRefused() throws {
        #expect(try ChatEvent(name: "thinking", data: Data("{}".utf8)) == nil)
        let later = Data(#"{"text":"a","colour":"blue"}"#.utf8)
        #expect(try ChatEvent(name: "token", data: later) == .token(.init(text: "a")))
        for broken in ["", "{", "{}", #"{"text":1}"#] {
            #expect(throws: (any Error).self) { try ChatEvent(name: "token", data: Data(broken.utf8)) }
        }
    }
}
