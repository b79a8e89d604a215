import AssistantAPI
import FoundationEssentials
import History
import Logging
import Testing

@testable import Assistant

/// Answers that are pictures, because the chat model called for one.
@Suite(.timeLimit(.minutes(5)))
struct AnswerPictureTests {
    private let engine = ScriptedEngine()
    private let history: HistoryStore
    private let service: ConversationService

    init() throws {
        history = try HistoryStore.open(path: nil)
        service = engine.conversations(history)
    }

    private static let timings = PictureTimings(
        queued: 0, loading: 0, encode: 1, denoise: 2, decode: 3, total: 6)

    private func ask(
        _ content: String, in conversation: Conversation.ID, pictures: Bool? = true
    ) -> AsyncThrowingStream<ChatEvent, any Error> {
        service.send(.init(content: content, pictures: pictures), to: conversation)
    }

    /// Has a picture painted for a call with these arguments; returns what was painted, and the events.
    private func paint(
        _ arguments: String..., conversation: Conversation.ID
    ) async throws -> (request: PictureRequest, events: [ChatEvent]) {
        let stream = ask("Paint a fox", in: conversation)
        let call = try #require(await engine.next())
        for part in arguments { call.call(ImagineTool.name, part) }
        call.finish()
        let painting = try #require(await engine.nextPainting())
        let picture = Picture.small("p1", of: painting.request.prompt)
        painting.events.yield(.started(.init(index: 0, id: picture.id, recipe: picture.recipe)))
        painting.events.yield(
            .progress(.init(index: 0, stage: .denoise, done: 1, total: 4, milliseconds: 1)))
        painting.events.yield(.picture(.init(index: 0, picture: picture, data: Data([1, 2, 3]))))
        painting.events.yield(
            .completed(.init(finish: .stop, timings: Self.timings, promptTokens: 1)))
        painting.events.finish()
        var events: [ChatEvent] = []
        for try await event in stream { events.append(event) }
        return (painting.request, events)
    }

    @Test func aCallBecomesAPictureThatIsTheAnswer() async throws {
        let conversation = try await service.create(.init())
        let (request, events) = try await paint(
            "{\"prompt\": \"a red ", "fox\"}", conversation: conversation.id)
        #expect(request.prompt == "a red fox")
        #expect(request.isPrivate == nil)
        #expect(events.map(\.name) == ["accepted", "painting", "painting", "picture", "completed"])
        #expect(events[2] == .painting(.init(prompt: "a red fox", step: 1, steps: 4)))
        guard case .completed(let completed) = events.last else { return }
        #expect(completed.message.content == "picture: a red fox")
        #expect(completed.message.picture == "p1")
        #expect(completed.message.finish == .stop)
        #expect(completed.pictureTimings == Self.timings)
        #expect(try await service.transcript(conversation.id).messages.last == completed.message)
    }

    @Test(arguments: ["{\"prompt\": \"\"}", "{\"prompt\": 3}", "{\"prompt\": \"a re", "{}"])
    func aCallThatDoesNotSayWhatPaintsWhatWasAsked(arguments: String) async throws {
        let conversation = try await service.create(.init())
        let (request, _) = try await paint(arguments, conversation: conversation.id)
        #expect(request.prompt == "Paint a fox")
    }

    @Test func picturesOfAPrivateConversationAreKeptNowhere() async throws {
        let conversation = try await service.create(.init(isPrivate: true))
        let (request, _) = try await paint("{\"prompt\": \"a fox\"}", conversation: conversation.id)
        #expect(request.isPrivate == true)
    }

    @Test func theModelSeesEarlierPicturesAsCallsWhereItMayPaint() async throws {
        let conversation = try await service.create(.init())
        _ = try await paint("{\"prompt\": \"a fox\"}", conversation: conversation.id)
        for (pictures, expected) in [
            (true, ImagineTool.turn(of: "a fox")),
            (false, [.init(role: .assistant, content: "picture: a fox")]),
        ] {
            let stream = ask("Why?", in: conversation.id, pictures: pictures)
            let call = try #require(await engine.next())
            #expect(call.request.toolUse == (pictures ? ImagineTool.use : nil))
            #expect(Array(call.messages.dropFirst().prefix(expected.count)) == expected)
            call.say("So.")
            call.finish()
            for try await _ in stream {}
        }
    }

    @Test func whatOnlyReadsLikeAPictureStaysText() async throws {
        let conversation = try await service.create(.init())
        for (question, answer) in [("Say it.", "picture: a fox"), ("Why?", "So.")] {
            let stream = ask(question, in: conversation.id)
            let call = try #require(await engine.next())
            #expect(call.messages.allSatisfy { $0.toolCalls == nil })
            call.say(answer)
            call.finish()
            for try await _ in stream {}
        }
    }

    @Test func aPictureThatFailsIsAFailedAnswer() async throws {
        let conversation = try await service.create(.init())
        let stream = ask("Paint a fox", in: conversation.id)
        let call = try #require(await engine.next())
        call.call(ImagineTool.name, "{\"prompt\": \"a fox\"}")
        call.finish()
        let painting = try #require(await engine.nextPainting())
        painting.events.finish(throwing: AssistantError(.outOfMemory, "There is no room."))
        var last: ChatEvent?
        for try await event in stream { last = event }
        guard case .failed(let failure) = last else {
            Issue.record("\(String(describing: last))")
            return
        }
        #expect(failure.error.code == .outOfMemory)
        #expect(failure.message?.picture == nil)
        #expect(try await service.transcript(conversation.id).messages.last?.finish == .failed)
    }

    @Test func aClientThatLeavesStopsThePainting() async throws {
        let conversation = try await service.create(.init())
        let reading = Task { [service] in
            for try await _ in service.send(.init(content: "Paint", pictures: true), to: conversation.id) {}
        }
        let call = try #require(await engine.next())
        call.call(ImagineTool.name, "{\"prompt\": \"a fox\"}")
        call.finish()
        let painting = try #require(await engine.nextPainting())
        let (left, leaving) = AsyncStream.makeStream(of: Void.self)
        painting.events.onTermination = { _ in leaving.finish() }
        reading.cancel()
        for await _ in left {}
        // The next message waits for the end of this one.
        let stream = ask("And?", in: conversation.id)
        let next = try #require(await engine.next())
        next.finish()
        for try await _ in stream {}
        let messages = try await service.messages(of: conversation.id)
        #expect(messages.first { $0.role == .assistant }?.finish == .cancelled)
        #expect(messages.first { $0.role == .assistant }?.picture == nil)
    }

    @Test func aPictureThatTheModelMadeCanBeMadeAnew() async throws {
        let conversation = try await service.create(.init())
        let (_, events) = try await paint("{\"prompt\": \"a fox\"}", conversation: conversation.id)
        guard case .completed(let completed) = events.last else { return }
        let stream = service.send(.init(regenerates: completed.message.id), to: conversation.id)
        let call = try #require(await engine.next())
        #expect(call.messages == [ChatMessage(role: .user, content: "Paint a fox")])
        call.finish()
        for try await _ in stream {}
    }
}
