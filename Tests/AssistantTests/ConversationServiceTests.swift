import AssistantAPI
import History
import Logging
import Synchronization
import Testing

@testable import Assistant

@Suite(.timeLimit(.minutes(5)))
struct ConversationServiceTests {
    private let engine = ScriptedEngine()
    private let history: HistoryStore
    private let service: ConversationService

    init() throws {
        history = try HistoryStore.open(path: nil)
        service = engine.conversations(history)
    }

    /// Sends a draft and collects its events while `play` answers.
    private func send(
        _ draft: MessageDraft, to id: String, play: (ScriptedEngine.Call) async throws -> Void
    ) async throws -> [ChatEvent] {
        let stream = service.send(draft, to: id)
        let collected = Task { try await stream.reduce(into: [ChatEvent]()) { $0.append($1) } }
        let call = try #require(await engine.next())
        try await play(call)
        return try await collected.value
    }

    private func answer(_ events: [ChatEvent]) -> Message? {
        switch events.last {
        case .completed(let completed): completed.message
        case .failed(let failure): failure.message
        default: nil
        }
    }

    @Test func aMessageIsWrittenAnsweredAndTheAnswerWritten() async throws {
        let conversation = try await service.create(.init(system: "be brief"))
        let events = try await send(.init(content: "What is ink made of?"), to: conversation.id) { call in
            #expect(
                call.messages == [
                    ChatMessage(role: .system, content: "be brief"),
                    ChatMessage(role: .user, content: "What is ink made of?"),
                ])
            // It is safe in the history before the engine hears of it.
            let written = try await history.transcript(conversation.id)
            #expect(written?.messages.first?.content == "What is ink made of?")
            call.say("Soot")
            call.say(" and gum.")
            call.finish()
        }
        guard case .accepted(let accepted) = events.first else {
            Issue.record("\(events)")
            return
        }
        #expect(accepted.message?.role == .user)
        #expect(accepted.model == "default")
        let transcript = try await service.transcript(conversation.id)
        #expect(transcript.messages.map(\.content) == ["What is ink made of?", "Soot and gum."])
        #expect(transcript.messages[1].id == accepted.answer)
        #expect(transcript.messages[1].finish == .stop)
        #expect(transcript.messages[1].usage?.promptTokens == 3)
        #expect(transcript.messages[1] == answer(events))
        #expect(transcript.conversation.title == "What is ink made of?")
    }

    @Test func theNextMessageBringsTheWholeTalk() async throws {
        let conversation = try await service.create(.init(title: "Mine"))
        _ = try await send(.init(content: "one"), to: conversation.id) { call in
            call.say("1")
            call.finish()
        }
        _ = try await send(.init(content: "two"), to: conversation.id) { call in
            #expect(call.messages.map(\.content) == ["one", "1", "two"])
            call.finish()
        }
        #expect(try await service.transcript(conversation.id).conversation.title == "Mine")
    }

    @Test func aConsumerThatLeavesStopsTheAnswerAndKeepsWhatWasSaid() async throws {
        let conversation = try await service.create(.init())
        let stream = service.send(.init(content: "talk"), to: conversation.id)
        let consumer = Task {
            for try await event in stream {
                if case .token = event { return }
            }
        }
        let call = try #require(await engine.next())
        call.say("Well, ")
        try await consumer.value
        // The stream went away with its consumer's return or goes with this cancellation.
        consumer.cancel()
        _ = stream
        await service.stopAll()
        #expect(call.isStopped)
        let message = try await service.transcript(conversation.id).messages.last
        #expect(message?.content == "Well, ")
        #expect(message?.finish == .cancelled || message?.finish == .interrupted)
    }

    @Test func cancellingTheConsumersTaskStopsTheAnswer() async throws {
        let conversation = try await service.create(.init())
        let consumer = Task { [service] in
            for try await _ in service.send(.init(content: "talk"), to: conversation.id) {}
        }
        let call = try #require(await engine.next())
        call.say("Well, ")
        consumer.cancel()
        _ = await consumer.result
        await service.drain()
        #expect(call.isStopped)
        let message = try await service.transcript(conversation.id).messages.last
        #expect(message?.content == "Well, ")
        #expect(message?.finish == .cancelled)
    }

    @Test func aFailedAnswerIsKeptWithItsReason() async throws {
        let conversation = try await service.create(.init())
        let events = try await send(.init(content: "talk"), to: conversation.id) { call in
            call.say("We")
            call.events.finish(throwing: AssistantError(.outOfMemory, "no memory left"))
        }
        guard case .failed(let failure) = events.last else {
            Issue.record("\(events)")
            return
        }
        #expect(failure.error.code == .outOfMemory)
        let message = try await service.transcript(conversation.id).messages.last
        #expect(message?.finish == .failed)
        #expect(message?.error == "no memory left")
        #expect(message?.content == "We")
    }

    @Test func anEditIsABranchBesideTheOldOne() async throws {
        let conversation = try await service.create(.init())
        for text in ["first", "second"] {
            _ = try await send(.init(content: text), to: conversation.id) { call in
                call.say("re: " + text)
                call.finish()
            }
        }
        let old = try await service.transcript(conversation.id).messages
        _ = try await send(.init(content: "other", edits: old[2].id), to: conversation.id) { call in
            #expect(call.messages.map(\.content) == ["first", "re: first", "other"])
            call.say("re: other")
            call.finish()
        }
        let new = try await service.transcript(conversation.id).messages
        #expect(new.map(\.content) == ["first", "re: first", "other", "re: other"])
        #expect(new[2].siblingCount == 2)
        #expect(new[2].siblingIndex == 1)
        _ = try await service.change(conversation.id, .init(head: old[3].id))
        #expect(try await service.transcript(conversation.id).messages.map(\.content) == old.map(\.content))
    }

    @Test func regeneratingAddsAnAnswerBesideTheOldOne() async throws {
        let conversation = try await service.create(.init())
        _ = try await send(.init(content: "hi"), to: conversation.id) { call in
            call.say("one")
            call.finish()
        }
        let first = try await service.transcript(conversation.id).messages
        for regenerated in first {
            let events = try await send(.init(regenerates: regenerated.id), to: conversation.id) { call in
                #expect(call.messages.map(\.content) == ["hi"])
                call.say("two")
                call.finish()
            }
            guard case .accepted(let accepted) = events.first else {
                Issue.record("\(events)")
                return
            }
            #expect(accepted.message == nil)
        }
        let last = try #require(try await service.transcript(conversation.id).messages.last)
        #expect(last.content == "two")
        #expect(last.parent == first[0].id)
        #expect(last.siblingCount == 3)
    }

    @Test func aSecondMessageWaitsForTheFirst() async throws {
        let conversation = try await service.create(.init())
        let one = service.send(.init(content: "one"), to: conversation.id)
        let first = try #require(await engine.next())
        let two = service.send(.init(content: "two"), to: conversation.id)
        var events = two.makeAsyncIterator()
        #expect(try await events.next() == .queued(.init(ahead: 1)))
        first.say("1")
        first.finish()
        let second = try #require(await engine.next())
        #expect(second.messages.map(\.content) == ["one", "1", "two"])
        second.finish()
        for try await _ in one {}
        while try await events.next() != nil {}
        #expect(try await service.transcript(conversation.id).messages.count == 4)
    }

    @Test func tooManyWaitingMessagesAreRefused() async throws {
        let conversation = try await service.create(.init())
        let one = service.send(.init(content: "one"), to: conversation.id)
        let first = try #require(await engine.next())
        var waiting: [AsyncThrowingStream<ChatEvent, any Error>] = []
        for number in 1...4 {
            let stream = service.send(.init(content: "\(number)"), to: conversation.id)
            var events = stream.makeAsyncIterator()
            #expect(try await events.next() == .queued(.init(ahead: number)))
            waiting.append(stream)
        }
        await #expect {
            for try await _ in service.send(.init(content: "too many"), to: conversation.id) {}
        } throws: {
            ($0 as? AssistantError)?.code == .queueFull
        }
        await service.stopAll()
        #expect(first.isStopped)
        _ = (one, waiting)
        // Those that waited were never accepted, so they left nothing.
        #expect(try await service.transcript(conversation.id).messages.map(\.content) == ["one", ""])
    }

    @Test func refusalsComeBeforeAnythingIsWritten() async throws {
        let conversation = try await service.create(.init())
        engine.refuse(AssistantError(.modelNotFound, "no such model"))
        await #expect(throws: AssistantError.self) {
            for try await _ in service.send(.init(content: "hi"), to: conversation.id) {}
        }
        #expect(try await service.transcript(conversation.id).messages.isEmpty)
    }

    @Test(arguments: [
        (MessageDraft(), "content"), (MessageDraft(content: " \n"), "content"),
        (MessageDraft(edits: "x"), "content"), (MessageDraft(content: "a", regenerates: "x"), "regenerates"),
        (MessageDraft(content: "a", edits: "nothing"), "edits"),
        (MessageDraft(regenerates: "nothing"), "regenerates"),
    ])
    func draftsThatMeanNothingAreRefused(draft: MessageDraft, field: String) async throws {
        let conversation = try await service.create(.init())
        await #expect {
            for try await _ in service.send(draft, to: conversation.id) {}
        } throws: {
            ($0 as? AssistantError)?.parameter == field
        }
        #expect(try await service.transcript(conversation.id).messages.isEmpty)
    }

    @Test func aPrivateConversationLeavesNothing() async throws {
        let conversation = try await service.create(.init(isPrivate: true))
        #expect(conversation.isPrivate)
        _ = try await send(.init(content: "a secret"), to: conversation.id) { call in
            call.say("shh")
            call.finish()
        }
        let transcript = try await service.transcript(conversation.id)
        #expect(transcript.messages.map(\.content) == ["a secret", "shh"])
        #expect(transcript.conversation.isPrivate)
        #expect(try await history.conversation(conversation.id) == nil)
        #expect(try await history.search("secret", limit: 10).isEmpty)
        #expect(try await service.list().conversations.isEmpty)
        _ = try await service.delete(conversation.id)
        await #expect(throws: AssistantError.self) { try await service.transcript(conversation.id) }
        #expect(engine.forgotten.withLock { $0 } == [conversation.id])
    }

    @Test func aDeletedConversationCanBeRestoredAndAnswersNothingMeanwhile() async throws {
        let conversation = try await service.create(.init(title: "x"))
        #expect(try await service.delete(conversation.id).erasedAt != nil)
        await #expect {
            for try await _ in service.send(.init(content: "hi"), to: conversation.id) {}
        } throws: {
            ($0 as? AssistantError)?.code == .notFound
        }
        #expect(try await service.restore(conversation.id).erasedAt == nil)
        #expect(try await service.list().conversations.map(\.id) == [conversation.id])
    }

    @Test func deletingStopsTheAnswerFirst() async throws {
        let conversation = try await service.create(.init())
        let stream = service.send(.init(content: "talk"), to: conversation.id)
        let call = try #require(await engine.next())
        _ = try await service.delete(conversation.id, now: true)
        #expect(call.isStopped)
        for try await _ in stream {}
        await #expect(throws: AssistantError.self) { try await service.transcript(conversation.id) }
    }

    @Test func theEndInterruptsWhatRunsAndKeepsIt() async throws {
        let conversation = try await service.create(.init())
        let stream = service.send(.init(content: "talk"), to: conversation.id)
        let call = try #require(await engine.next())
        call.say("Once")
        await service.stopAll()
        #expect(try await service.transcript(conversation.id).messages.last?.finish == .interrupted)
        _ = stream
        await #expect {
            for try await _ in service.send(.init(content: "more"), to: conversation.id) {}
        } throws: {
            ($0 as? AssistantError)?.code == .shuttingDown
        }
    }

    @Test func unknownConversationsAreNotFound() async throws {
        await #expect {
            for try await _ in service.send(.init(content: "hi"), to: "nothing") {}
        } throws: {
            ($0 as? AssistantError)?.code == .notFound
        }
        await #expect(throws: AssistantError.self) { try await service.change("nothing", .init(title: "x")) }
        await #expect(throws: AssistantError.self) { try await service.delete("nothing") }
    }
}
