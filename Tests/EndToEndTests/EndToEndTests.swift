import AssistantAPI
import Foundation
import Terminal
import Testing

/// The real programs and the real default model, over the real socket.
@Suite(.enabled(if: RunningDaemon.model != nil, "needs the default chat model; Scripts/test fetches it"))
struct EndToEndTests {
    @Test func acknowledgedMessagesSurviveKill9() async throws {
        let daemon = try RunningDaemon()
        try await daemon.ready()
        let conversation = try await daemon.client.create(ConversationDraft(title: "Survivor"))
        var acknowledged: [String] = []
        for round in 0..<4 {
            let ledger = Ledger(killing: daemon.process.processIdentifier, afterTokens: 1 + round)
            await #expect(throws: (any Error).self) {
                var settings = GenerationSettings()
                settings.temperature = 0
                // Without the tokens that end SmolLM2's answers this one goes on until the daemon is killed, however late
                // this process is served.
                settings.logitBias = [0: -100, 1: -100, 2: -100]
                let draft = MessageDraft(content: "Round \(round): count to one hundred.", settings: settings)
                try await daemon.client.send(draft, to: conversation.id) { try await ledger.receive($0) }
            }
            acknowledged += await ledger.acknowledged
            daemon.end(signal: SIGKILL)
            try daemon.start()
            try await daemon.ready()
            let messages = try await daemon.client.transcript(conversation.id).messages
            #expect(messages.filter { $0.role == .user }.map(\.id) == acknowledged)
            let answers = messages.filter { $0.role == .assistant }
            #expect(answers.map(\.finish) == answers.map { _ in .interrupted })
        }
        #expect(acknowledged.count == 4)
        let ledger = Ledger()
        var draft = MessageDraft(content: "Say hello.", settings: GenerationSettings())
        draft.settings?.maxTokens = 16
        try await daemon.client.send(draft, to: conversation.id) { try await ledger.receive($0) }
        #expect(await !ledger.text.isEmpty)
        let answer = try #require(await ledger.completed)
        #expect(try await daemon.client.transcript(conversation.id).messages.last == answer)
    }

    @Test func aSecondDaemonRefuses() async throws {
        let daemon = try RunningDaemon()
        try await daemon.ready()
        #expect(try daemon.run("inklingd", []).status == 73)
        #expect(try await daemon.client.health().pid == daemon.process.processIdentifier)
    }

    @Test func aTerminatedDaemonLeavesNoSocketAndExitsWithZero() async throws {
        let daemon = try RunningDaemon()
        try await daemon.ready()
        daemon.end(signal: SIGTERM)
        #expect(daemon.process.terminationStatus == 0)
        #expect(!FileManager.default.fileExists(atPath: daemon.socket))
    }

    @Test func aQuestionOnTheCommandLineIsAnsweredAndKept() async throws {
        let daemon = try RunningDaemon()
        try await daemon.ready()
        let (status, output) = try daemon.run(
            "inkling", ["ask", "--json", "--set", "temperature=0", "What is the capital of France?"])
        #expect(status == 0)
        #expect(String(decoding: output, as: UTF8.self).contains("Paris"))
        let matches = try await daemon.client.search("capital", limit: 10)
        #expect(matches.contains { $0.message != nil })
    }

    @Test func aPrivateConversationIsGoneWithTheDaemon() async throws {
        let daemon = try RunningDaemon()
        try await daemon.ready()
        let conversation = try await daemon.client.create(ConversationDraft(isPrivate: true))
        let ledger = Ledger()
        var draft = MessageDraft(content: "My secret word is xylophonist.", settings: GenerationSettings())
        draft.settings?.maxTokens = 16
        try await daemon.client.send(draft, to: conversation.id) { try await ledger.receive($0) }
        daemon.end(signal: SIGTERM)
        let files = try #require(
            FileManager.default.enumerator(at: daemon.home, includingPropertiesForKeys: [.isRegularFileKey]))
        for case let file as URL in files {
            guard let bytes = try? Data(contentsOf: file) else { continue }
            #expect(bytes.range(of: Data("xylophonist".utf8)) == nil, "\(file.lastPathComponent)")
        }
    }
}

/// Notes what a stream of events said, and may end the daemon in the middle of it.
private actor Ledger {
    private(set) var acknowledged: [String] = []
    private(set) var text = ""
    private(set) var completed: Message?
    private let process: Int32?
    private var tokensUntilKill: Int?

    init(killing process: Int32? = nil, afterTokens count: Int? = nil) {
        self.process = process
        tokensUntilKill = count
    }

    func receive(_ event: ChatEvent) throws {
        switch event {
        case .accepted(let accepted): acknowledged += [accepted.message?.id].compactMap(\.self)
        case .token(let token):
            text += token.text
            tokensUntilKill = tokensUntilKill.map { $0 - 1 }
            if tokensUntilKill == 0, let process { kill(process, SIGKILL) }
        case .completed(let end): completed = end.message
        case .failed(let failure): throw failure.error
        default: break
        }
    }
}
