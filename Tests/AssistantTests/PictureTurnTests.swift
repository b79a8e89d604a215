import AssistantAPI
import FoundationEssentials
import History
import Logging
import Testing

@testable import Assistant

@Suite(.timeLimit(.minutes(5)))
struct PictureTurnTests {
    private let engine = ScriptedEngine()
    private let history: HistoryStore
    private let service: ConversationService

    init() throws {
        history = try HistoryStore.open(path: nil)
        service = engine.conversations(history)
    }

    @Test func aPictureBecomesWhatWasTypedAndAMessageThatShowsIt() async throws {
        let conversation = try await service.create(.init())
        let messages = try await service.append(
            picture: Picture.small("p1"), prompt: "a fox", to: conversation.id)
        #expect(messages.map(\.role) == [.user, .assistant])
        #expect(messages.map(\.content) == ["/imagine a fox", "picture: a fox"])
        #expect(messages.map(\.picture) == [nil, "p1"])
        #expect(messages[1].finish == .stop)
        #expect(messages[1].model == "scenes")
        let transcript = try await service.transcript(conversation.id)
        #expect(transcript.messages == messages)
        #expect(transcript.conversation.title == "a fox")
    }

    @Test func theChatModelReadsPicturesAsText() async throws {
        let conversation = try await service.create(.init())
        _ = try await service.append(picture: Picture.small("p1"), prompt: "a fox", to: conversation.id)
        let stream = service.send(.init(content: "And in snow?"), to: conversation.id)
        let call = try #require(await engine.next())
        #expect(
            call.messages == [
                ChatMessage(role: .user, content: "/imagine a fox"),
                ChatMessage(role: .assistant, content: "picture: a fox"),
                ChatMessage(role: .user, content: "And in snow?"),
            ])
        call.finish()
        for try await _ in stream {}
    }

    @Test(arguments: [0, 1])
    func aPictureThatEditsAnotherBecomesABranchBesideIt(edited: Int) async throws {
        let conversation = try await service.create(.init())
        let first = try await service.append(
            picture: Picture.small("p1"), prompt: "a fox", to: conversation.id)
        let second = try await service.append(
            picture: Picture.small("p2"), prompt: "a red fox", to: conversation.id, edits: first[edited].id)
        #expect(second[0].parent == nil)
        #expect(second[0].siblingCount == 2)
        #expect(second[0].siblingIndex == 1)
        #expect(try await service.transcript(conversation.id).messages.map(\.picture) == [nil, "p2"])
        _ = try await service.change(conversation.id, .init(head: first[0].id))
        #expect(try await service.transcript(conversation.id).messages.map(\.picture) == [nil, "p1"])
    }

    @Test func whatCannotBeEditedIsRefusedAndNothingIsWritten() async throws {
        let conversation = try await service.create(.init())
        let stream = service.send(.init(content: "Hello"), to: conversation.id)
        let call = try #require(await engine.next())
        call.say("Hi")
        call.finish()
        for try await _ in stream {}
        let answer = try #require(try await service.transcript(conversation.id).messages.last)
        for edited in [answer.id, "nobody"] {
            let error = await #expect(throws: AssistantError.self) {
                _ = try await service.append(
                    picture: Picture.small("p1"), prompt: "a fox", to: conversation.id, edits: edited)
            }
            #expect(error?.parameter == "edits")
        }
        #expect(try await service.transcript(conversation.id).messages.count == 2)
        await #expect(throws: AssistantError.self) {
            _ = try await service.append(picture: Picture.small("p1"), prompt: "a fox", to: "nowhere")
        }
    }

    @Test func aPictureIsNotRegeneratedByTheChatModel() async throws {
        let conversation = try await service.create(.init())
        let messages = try await service.append(
            picture: Picture.small("p1"), prompt: "a fox", to: conversation.id)
        let error = await #expect(throws: AssistantError.self) {
            for try await _ in service.send(.init(regenerates: messages[1].id), to: conversation.id) {}
        }
        #expect(error?.parameter == "regenerates")
    }

    @Test func aPictureWaitsForTheAnswerThatIsBeingWritten() async throws {
        let conversation = try await service.create(.init())
        let stream = service.send(.init(content: "Hello"), to: conversation.id)
        let call = try #require(await engine.next())
        async let committed = service.append(
            picture: Picture.small("p1"), prompt: "a fox", to: conversation.id)
        call.say("Hi")
        call.finish()
        for try await _ in stream {}
        _ = try await committed
        let shown = try await service.transcript(conversation.id).messages.map(\.content)
        #expect(shown == ["Hello", "Hi", "/imagine a fox", "picture: a fox"])
    }

    @Test func aDeletedConversationTakesNoPictureAndAPrivateOneDoes() async throws {
        let kept = try await service.create(.init())
        _ = try await service.delete(kept.id)
        await #expect(throws: AssistantError.self) {
            _ = try await service.append(picture: Picture.small("p1"), prompt: "a fox", to: kept.id)
        }
        let hidden = try await service.create(.init(isPrivate: true))
        _ = try await service.append(picture: Picture.small("p1"), prompt: "a fox", to: hidden.id)
        #expect(try await service.transcript(hidden.id).messages.last?.picture == "p1")
        #expect(try await history.conversation(hidden.id) == nil)
    }
}
