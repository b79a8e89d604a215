import AssistantAPI
import FoundationEssentials
import History
import Logging
import Testing

@testable import Assistant

@Suite(.timeLimit(.minutes(5)))
struct ErasureTests {
    private let clock = ManualClock()
    private let history: HistoryStore

    init() throws {
        let start = Date(timeIntervalSince1970: 1_000_000_000)
        history = try HistoryStore.open(path: nil, undoSeconds: 60) { [clock] in
            start.addingTimeInterval(Double(clock.now.offset.components.seconds))
        }
    }

    private func service() -> ConversationService {
        ConversationService(
            history: history, engine: ScriptedEngine().answerEngine, defaultSystem: nil, undo: .seconds(60),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), clock: clock)
    }

    @Test func aDeletedConversationIsErasedWhenItsTimeIsOver() async throws {
        let service = service()
        // The first sleep is for what an earlier daemon may have deleted.
        _ = await clock.nextSleep()
        clock.advance(by: .seconds(100))
        await service.erasures.drain()
        let conversation = try await service.create(.init(title: "x"))
        _ = try await service.delete(conversation.id)
        #expect(try #require(await clock.nextSleep()) >= .seconds(60))
        clock.advance(by: .seconds(59))
        #expect(try await history.conversation(conversation.id)?.erasedAt != nil)
        clock.advance(by: .seconds(2))
        await service.erasures.drain()
        // Nothing is left to erase.
        #expect(try await history.eraseExpired() == 0)
        #expect(try await history.conversation(conversation.id) == nil)
    }

    @Test func whatAnEarlierDaemonDeletedIsErasedToo() async throws {
        let conversation = try await history.create(.init(title: "x"))
        _ = try await history.delete(conversation.id, now: false)
        let service = service()
        _ = await clock.nextSleep()
        clock.advance(by: .seconds(61))
        await service.erasures.drain()
        #expect(try await history.eraseExpired() == 0)
        #expect(try await history.conversation(conversation.id) == nil)
    }

    @Test func answersThatWereCutOffAreMarkedAtTheStart() async throws {
        let conversation = try await history.create(.init(title: "x"))
        let question = try await history.append(
            Message(
                id: HistoryStore.makeID(), conversation: conversation.id, role: .user, content: "hi",
                createdAt: Date()))
        _ = try await history.append(
            Message(
                id: HistoryStore.makeID(), conversation: conversation.id, parent: question.id,
                role: .assistant, content: "Well", createdAt: Date()))
        let service = service()
        // Sending waits for the start to be over; this draft is refused right after.
        await #expect(throws: AssistantError.self) {
            for try await _ in service.send(.init(content: "more"), to: "nothing") {}
        }
        #expect(try await service.transcript(conversation.id).messages.last?.finish == .interrupted)
    }
}
