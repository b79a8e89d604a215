import AssistantAPI
import History
import Logging
import Synchronization
import Testing

@testable import Assistant

@Suite(.timeLimit(.minutes(5)))
struct TypedDraftTests {
    private let engine = ScriptedEngine()
    private let service: ConversationService

    init() throws {
        service = engine.conversations(try HistoryStore.open(path: nil), system: "be brief")
    }

    @Test(arguments: [
        ("", ""), ("Hel", ""), ("Hello ", "Hello"), ("Hello, wor", "Hello,"), ("one two\n", "one two"),
        ("  a b", "  a"), ("\u{1F98A} fox", "\u{1F98A}"),
        ("\u{96EA}\u{306E}\u{4E2D}\u{306E}", "\u{96EA}\u{306E}"),
    ])
    func theStablePartEndsWithTheLastWholeWord(text: String, stable: String) {
        #expect(TypedText.stablePart(of: text) == stable)
    }

    @Test func whatIsTypedBecomesTheConversationsNextPrompt() async throws {
        let conversation = try await service.create(.init())
        _ = try await answered("Hi", by: "Hello.", in: conversation.id)
        service.draft(.init(text: "How are y"), in: conversation.id)
        #expect(
            await engine.nextDraft() == [
                ChatMessage(role: .system, content: "be brief"), ChatMessage(role: .user, content: "Hi"),
                ChatMessage(role: .assistant, content: "Hello."),
                ChatMessage(role: .user, content: "How are"),
            ])
        service.draft(.init(text: "", model: "other"), in: conversation.id)
        #expect(await engine.nextDraft()?.last == ChatMessage(role: .user, content: ""))
        #expect(engine.expected.withLock { $0.last?.request.model } == "other")
    }

    @Test func whatWentToTheEngineIsNoNewsUntilSomethingComesBeforeIt() {
        let drafts = TypedDrafts()
        let how = TypedDrafts.Typed(conversation: "c", draft: .init(text: "How"))
        var other = how
        other.draft.model = "other"
        #expect([how, how, other, other, how].map(drafts.isNews) == [true, false, true, false, true])
        _ = drafts.resume("c")
        #expect(drafts.isNews(how))
        drafts.remove("c")
        #expect(drafts.isNews(how))
    }

    @Test func theFirstMessageOfAConversationIsEvaluatedBeforeItIsThere() async throws {
        service.draft(.init(text: "How are y"), in: nil)
        #expect(
            await engine.nextDraft() == [
                ChatMessage(role: .system, content: "be brief"), ChatMessage(role: .user, content: "How are"),
            ])
        service.draft(.init(text: "How are you ", model: "other", system: "be kind"), in: nil)
        #expect(await engine.nextDraft()?.map(\.content) == ["be kind", "How are you"])
        #expect(engine.expected.withLock { $0.last?.request.model } == "other")
    }

    @Test func whatIsEvaluatedAheadIsWhatAModelThatMayPaintWillSee() async throws {
        let conversation = try await service.create(.init())
        for (pictures, use) in [(true, ImagineTool.use), (false, nil), (nil, nil)] {
            service.draft(.init(text: "Paint a fox", pictures: pictures), in: conversation.id)
            _ = await engine.nextDraft()
            #expect(engine.expected.withLock { $0.last?.request.toolUse } == use)
        }
    }

    @Test func whatIsTypedDuringAnAnswerWaitsForIt() async throws {
        let conversation = try await service.create(.init())
        let stream = service.send(.init(content: "Hi"), to: conversation.id)
        let call = try #require(await engine.next())
        service.draft(.init(text: "And th"), in: conversation.id)
        call.say("Hello.")
        call.finish()
        for try await _ in stream {}
        #expect(await engine.nextDraft()?.map(\.content) == ["be brief", "Hi", "Hello.", "And"])
        #expect(engine.expected.withLock { $0.count } == 1)
    }

    @Test func nothingIsEvaluatedForAConversationThatIsGone() async throws {
        let gone = try await service.create(.init())
        _ = try await service.delete(gone.id)
        service.draft(.init(text: "Hello there"), in: gone.id)
        service.draft(.init(text: "Hello there"), in: "nowhere")
        let conversation = try await service.create(.init())
        service.draft(.init(text: "Hello there"), in: conversation.id)
        #expect(await engine.nextDraft()?.last?.content == "Hello")
        #expect(engine.expected.withLock { $0.map(\.conversation) } == [conversation.id])
    }

    @Test func onlyTheNewestTextOfAConversationIsKept() {
        let drafts = TypedDrafts(limit: 2)
        func typed(_ text: String, _ conversation: String) -> TypedDrafts.Typed {
            .init(conversation: conversation, draft: .init(text: text))
        }
        #expect(drafts.put(typed("1", "a")))
        for number in 2...1000 { #expect(!drafts.put(typed("\(number)", "a"))) }
        #expect(!drafts.put(typed("x", "b")))
        #expect(!drafts.put(typed("y", "c")))
        #expect(drafts.take() == typed("y", "c"))
        #expect(drafts.take() == typed("x", "b"))
        #expect(drafts.take() == nil)
        #expect(drafts.put(typed("2", "a")))
        drafts.remove("a")
        #expect(drafts.take() == nil)
    }

    @Test func aTextThatIsHeldGoesOnUnlessANewerOneCame() {
        let drafts = TypedDrafts()
        let old = TypedDrafts.Typed(conversation: "a", draft: .init(text: "old"))
        let new = TypedDrafts.Typed(conversation: "a", draft: .init(text: "new"))
        drafts.hold(old)
        #expect(drafts.take() == nil)
        #expect(drafts.resume("a"))
        #expect(drafts.take() == old)
        #expect(!drafts.resume("a"))
        _ = drafts.put(new)
        drafts.hold(old)
        #expect(drafts.take() == new)
        #expect(!drafts.resume("a"))
    }

    private func answered(_ question: String, by answer: String, in id: String) async throws {
        let stream = service.send(.init(content: question), to: id)
        let call = try #require(await engine.next())
        call.say(answer)
        call.finish()
        for try await _ in stream {}
    }
}
