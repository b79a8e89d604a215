import AssistantAPI
import FoundationEssentials
import History
import Logging
import Testing

@testable import Assistant

/// A history that takes nothing any more, as on a full disk: here it was closed under the service.
struct UnwritableHistoryTests {
    private let engine = ScriptedEngine()

    private func withService(_ body: (ConversationService, HistoryStore) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/inkling-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let history = try HistoryStore.open(path: folder + "/history.db")
        let service = engine.conversations(history)
        try await body(service, history)
        await service.drain()
        await service.close()
    }

    @Test func aMessageThatCannotBeWrittenIsAnErrorBeforeAnyWork() async throws {
        try await withService { service, history in
            let conversation = try await service.create(.init())
            try await history.close()
            await #expect {
                for try await _ in service.send(.init(content: "hi"), to: conversation.id) {}
            } throws: {
                ($0 as? AssistantError)?.code == .historyUnavailable
            }
        }
    }

    @Test func anAnswerThatCannotBeWrittenGoesOnWithANotice() async throws {
        try await withService { service, history in
            let conversation = try await service.create(.init())
            let stream = service.send(.init(content: "hi"), to: conversation.id)
            let call = try #require(await engine.next())
            call.say("he")
            var events: [ChatEvent] = []
            for try await event in stream {
                events.append(event)
                // By the first token the answer's row and the title were written.
                guard events.count == 2 else { continue }
                try await history.close()
                call.say("llo")
                call.finish()
            }
            let notices = events.filter { if case .notice = $0 { true } else { false } }
            #expect(notices.count == 1)
            guard case .completed(let completed) = events.last else {
                Issue.record("\(events)")
                return
            }
            #expect(completed.message.content == "hello")
            #expect(completed.message.finish == .stop)
        }
    }

    @Test func aPrivateConversationNeedsNoHistory() async throws {
        try await withService { service, history in
            try await history.close()
            let conversation = try await service.create(.init(isPrivate: true))
            let stream = service.send(.init(content: "hi"), to: conversation.id)
            let call = try #require(await engine.next())
            call.say("hello")
            call.finish()
            for try await _ in stream {}
            let transcript = try await service.transcript(conversation.id)
            #expect(transcript.messages.map(\.content) == ["hi", "hello"])
        }
    }
}
