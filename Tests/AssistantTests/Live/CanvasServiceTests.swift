import AssistantAPI
import FoundationEssentials
import ImageCodecs
import Testing

@testable import Assistant

/// Canvases through the whole engine.
@Suite(.timeLimit(.minutes(5)))
struct CanvasServiceTests {
    /// The tiny models that the picture engine's own tests are made with.
    private static let models: String = {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(3)
        return parts.joined(separator: "/") + "/StableDiffusionTests/Fixtures/models/"
    }()

    private func settings(_ model: String = "sd-turbo", steps: Int = 3) -> CanvasSettings {
        var settings = CanvasSettings()
        (settings.model, settings.width, settings.height) = (Self.models + model, 128, 128)
        (settings.steps, settings.seed) = (steps, 5)
        return settings
    }

    /// Types a text and waits for its settled picture.
    private func settle(
        _ text: String, _ revision: Int, on id: String, of canvases: CanvasService
    ) async throws -> CanvasEvent.Frame? {
        let events = try canvases.events(of: id, after: nil)
        _ = try canvases.type(.init(text: text, revision: revision), on: id)
        for try await numbered in events {
            if case .frame(let frame) = numbered.event, frame.isSettled, frame.revision == revision {
                return frame
            }
            if case .failed(let failure) = numbered.event { throw failure.error }
        }
        return nil
    }

    @Test(arguments: ["sd-turbo", "sd15"])
    func theSettledPictureIsTheOneThatARequestMakes(model: String) async throws {
        let tiny = try TinyAssistant()
        let canvases = tiny.assistant.canvases
        let canvas = try await canvases.open(CanvasDraft(settings: settings(model)), client: "test")
        let frame = try #require(try await settle("a red fox", 1, on: canvas.id, of: canvases))
        var request = PictureRequest(prompt: "a red fox")
        (request.model, request.width, request.height) = (Self.models + model, 128, 128)
        (request.steps, request.seed) = (3, 5)
        var picture: Data?
        for try await event in tiny.assistant.pictures.make(request) {
            if case .picture(let finished) = event { picture = finished.data }
        }
        let made = try Bitmap(decoding: Array(try #require(picture)))
        #expect(try Bitmap(decoding: Array(frame.data)) == made)
        let committed = try await canvases.commit(canvas.id, CanvasCommit())
        let kept = try await tiny.assistant.pictures.file(of: committed.picture.id)
        #expect(try Bitmap(decoding: Array(kept.data)) == made)
        #expect(committed.picture.recipe.prompt == "a red fox" && committed.messages.isEmpty)
        #expect(canvases.counters.shown >= 1 && canvases.counters.settled == 1)
    }

    @Test func warmFramesSaveStepsAndAreRenderedAgainExactly() async throws {
        let tiny = try TinyAssistant()
        let engine = tiny.frames
        var request = PictureRequest(prompt: "a red fox in the deep white snow of a long winter")
        (request.model, request.width, request.height) = (Self.models + "sd-turbo", 128, 128)
        (request.steps, request.seed) = (4, 5)
        let first = try await engine.frame(.init(picture: request, rank: .draft, lane: "a"))
        let parent = try #require(first.latents)
        request.prompt += "s"
        let warm = WarmStart(parent: 1, prompt: first.frame.recipe.prompt, latents: parent)
        let second = try await engine.frame(.init(picture: request, rank: .draft, lane: "a", warm: warm))
        let start = try #require(second.frame.start)
        #expect(start.latents == parent && second.savedSteps > 0)
        #expect(second.sample.steps.count == 4 - second.savedSteps)
        let again = try await engine.frame(
            .init(picture: request, rank: .refinement, lane: "b", start: start))
        #expect(again.bitmap == second.bitmap && again.frame == second.frame)
        // Something else altogether starts from noise.
        request.prompt = "nine green bottles"
        let far = try await engine.frame(.init(picture: request, rank: .draft, lane: "a", warm: warm))
        #expect(far.frame.start == nil && far.savedSteps == 0)
        // A start picture takes fewer steps, too, but nobody would have taken the others.
        (request.initImage, request.strength) = (Data(try PNG.encode(far.bitmap)), 0.5)
        let started = try await engine.frame(.init(picture: request, rank: .draft, lane: "a"))
        #expect(started.sample.steps.count == 2 && started.savedSteps == 0)
    }

    @Test func aDraftIsMadeWithinAPicturesStepAndAnAnswerWithinBoth() async throws {
        let gate = StepGate()
        let painter = ScriptedPainter { step, pass in if step == 0 { try gate.pass(step, pass) } }
        let tiny = try TinyAssistant(contextLength: 1 << 20, painters: painter.source)
        try ScriptedPainter.makeModel("paint", in: tiny.folder + "/inkling/models")
        var request = PictureRequest(prompt: "slow")
        request.seed = 5
        let painting = Task { [request] in
            var last: PictureEvent?
            for try await event in tiny.assistant.pictures.make(request) { last = event }
            return last?.name
        }
        #expect(await gate.reached() == 0)
        // The step does not end before the frame has begun, within it.
        request.steps = 1
        let engine = tiny.frames
        let frame = Task { [request] in
            try await engine.frame(.init(picture: request, rank: .draft, lane: "a"))
        }
        #expect(await gate.reached() == 0)
        let answer = try await tiny.complete(TinyAssistant.request(.text("hello"), tokens: 5))
        #expect(answer.tokens.count == 5)
        gate.open()
        #expect(try await frame.value.bitmap.width == 64)
        #expect(try await painting.value == "completed")
    }

    @Test func whatCannotBeEditedIsFoundBeforeAnythingIsPainted() async throws {
        let tiny = try TinyAssistant()
        defer { withExtendedLifetime(tiny) {} }
        let frames = ScriptedFrames()
        let conversations = tiny.assistant.conversations
        let canvases = CanvasService(
            engine: frames.engine, keeping: tiny.assistant.pictures.keeping, conversations: conversations)
        let conversation = try await conversations.create(ConversationDraft())
        let canvas = try await canvases.open(CanvasDraft(), client: "test", text: "a fox ")
        let error = await #expect(throws: AssistantError.self) {
            try await canvases.commit(
                canvas.id, CanvasCommit(conversation: conversation.id, edits: "none"))
        }
        #expect(error?.code == .notFound && error?.parameter == "edits")
        // Only the model was asked for.
        #expect(frames.callCount == 1)
        canvases.closeAll()
    }

    @Test func canvasesAreBoundedAndErrorsNameTheField() async throws {
        let tiny = try TinyAssistant()
        let canvases = tiny.assistant.canvases
        for _ in 0..<CanvasService.limit {
            _ = try await canvases.open(CanvasDraft(settings: settings()), client: "test")
        }
        let full = await #expect(throws: AssistantError.self) {
            try await canvases.open(CanvasDraft(settings: settings()), client: "test")
        }
        #expect(full?.code == .queueFull)
        #expect(canvases.list().count == CanvasService.limit)
        let id = canvases.list()[0].id
        #expect(try canvases.close(id).id == id)
        #expect(throws: AssistantError.self) { try canvases.canvas(id) }
        var wrong = settings()
        wrong.width = 101
        let error = await #expect(throws: AssistantError.self) {
            try await canvases.open(CanvasDraft(settings: wrong), client: "test")
        }
        #expect(error?.code == .invalidRequest && error?.parameter == "width")
    }
}

extension TinyAssistant {
    /// The engine's frames, without a canvas.
    var frames: FrameEngine { assistant.pictureCore.frameEngine }
}

extension FrameEngine {
    /// Makes one frame.
    func frame(_ request: Request) async throws -> FinishedFrame {
        for try await event in try start(request).events {
            if case .finished(let finished) = event { return finished }
        }
        throw AssistantError(.cancelled, "The frame was stopped.")
    }
}
