import AssistantAPI
import FoundationEssentials
import ImageCodecs
import Settings
import StableDiffusion
import Testing

@testable import Assistant

/// Pictures in the engine, beside answers, with scripted work in the place of a network.
@Suite(.timeLimit(.minutes(5)))
struct PictureEngineTests {
    private func tiny(
        _ painter: ScriptedPainter, models: [String] = ["paint"], contextLength: Int = 1 << 20,
        configure: (inout Configuration) -> Void = { _ in }
    ) throws -> TinyAssistant {
        let tiny = try TinyAssistant(
            contextLength: contextLength, painters: painter.source, configure: configure)
        for name in models { try ScriptedPainter.makeModel(name, in: tiny.folder + "/inkling/models") }
        return tiny
    }

    private func request(_ change: (inout PictureRequest) -> Void = { _ in }) -> PictureRequest {
        var request = PictureRequest(prompt: "a fox")
        request.seed = 5
        change(&request)
        return request
    }

    private func events(
        _ request: PictureRequest, of tiny: TinyAssistant, client: String = ""
    ) async throws -> [PictureEvent] {
        var events: [PictureEvent] = []
        for try await event in tiny.assistant.pictures.make(request, client: client) { events.append(event) }
        return events
    }

    @Test func eventsComeInOrder() async throws {
        let tiny = try tiny(ScriptedPainter())
        let events = try await events(
            request {
                ($0.count, $0.partialImages) = (2, 1)
                $0.prompt = String(repeating: "many words ", count: 10)
            }, of: tiny)
        let picture =
            ["started", "progress", "progress", "progress", "partial", "progress", "progress"]
            + ["progress", "picture"]
        #expect(
            events.map(\.name) == ["loading", "loading", "notice"] + picture + picture + ["completed"])
        let recipes = events.compactMap { if case .started(let started) = $0 { started.recipe } else { nil } }
        #expect(recipes.map(\.seed) == [5, 6])
        #expect(recipes[0].scheduler == "euler" && recipes[0].steps == 4 && recipes[0].model == "paint")
        guard case .completed(let completed) = events.last else { return }
        #expect(completed.finish == .stop)
        #expect(completed.promptTokens == 110)
    }

    @Test func theSameRequestGivesTheSameBytes() async throws {
        let tiny = try tiny(ScriptedPainter())
        func file() async throws -> Data? {
            try await events(request(), of: tiny).compactMap {
                if case .picture(let finished) = $0 { finished.data } else { nil }
            }.first
        }
        let first = try #require(try await file())
        #expect(try await file() == first)
        #expect(try Bitmap(decoding: Array(first)).samples.prefix(3) == [5, 4, 7])
    }

    @Test func anAnswerIsMadeWithinADenoisingStep() async throws {
        let gate = StepGate()
        let tiny = try tiny(ScriptedPainter { step, pass in if step == 0 { try gate.pass(step, pass) } })
        async let painted = events(request(), of: tiny, client: "painter")
        #expect(await gate.reached() == 0)
        // The step does not end before these are answered: they are loaded, admitted and decoded inside it.
        let first = try await tiny.complete(TinyAssistant.request(.text("hello"), tokens: 20), client: "one")
        let second = try await tiny.complete(TinyAssistant.request(.text("again"), tokens: 20), client: "two")
        #expect(first.tokens.count == 20 && second.tokens.count == 20)
        gate.open()
        #expect(try await painted.last?.name == "completed")
        // The same answer as on an idle engine.
        let alone = try await TinyAssistant(contextLength: 1 << 20).complete(
            TinyAssistant.request(.text("hello"), tokens: 20))
        #expect(first.text == alone.text)
    }

    @Test func aRunningAnswerGoesOnWithinADenoisingStep() async throws {
        let gate = StepGate()
        let tiny = try tiny(ScriptedPainter { step, pass in if step == 0 { try gate.pass(step, pass) } })
        var endless = try await tiny.startEndless(client: "talker")
        async let painted = events(request(), of: tiny, client: "painter")
        #expect(await gate.reached() == 0)
        for _ in 0..<50 { #expect(try await endless.events.next() != nil) }
        gate.open()
        #expect(try await painted.last?.name == "completed")
    }

    /// Also beside a canvas of another model, whose frames can't be painted meanwhile.
    @Test(arguments: [false, true])
    func whatIsTypedIsEvaluatedWithinADenoisingStep(hasCanvas: Bool) async throws {
        let gate = StepGate()
        let painter = ScriptedPainter { step, pass in if step == 0 { try gate.pass(step, pass) } }
        let tiny = try tiny(painter, models: ["paint", "sketch"])
        // The chat model is in memory; no other one would be loaded for a draft.
        _ = try await tiny.complete(TinyAssistant.request(.text("hello"), tokens: 2))
        async let painted = events(request { $0.model = "paint" }, of: tiny, client: "painter")
        #expect(await gate.reached() == 0)
        if hasCanvas {
            var settings = CanvasSettings()
            settings.model = "sketch"
            _ = try await tiny.assistant.canvases.open(CanvasDraft(settings: settings), client: "sketcher")
        }
        let typed = ChatMessage(role: .user, content: "What is ink made of, and how was it made before?")
        let core = tiny.assistant.core
        try core.expect(CompletionRequest(prompt: .chat([typed])), in: "c")
        // The step does not end before a piece of it is evaluated.
        while core.engine.counters.now.tokensAhead == 0 { await Task.yield() }
        gate.open()
        #expect(try await painted.last?.name == "completed")
    }

    @Test func aClientThatLeavesStopsTheStep() async throws {
        let gate = StepGate()
        let painter = ScriptedPainter { step, pass in try gate.pass(step, pass) }
        let tiny = try tiny(painter)
        let watching = Task { try await events(request(), of: tiny) }
        #expect(await gate.reached() == 0)
        watching.cancel()
        // The gate stays shut: only the checkpoint can have ended the step.
        await tiny.assistant.core.engine.gate.idle()
        _ = try? await watching.value
        #expect(tiny.assistant.health().models.contains(.init(id: "paint", state: .loaded)))
    }

    @Test func onePictureIsPaintedAtATimeAndAFullQueueRefuses() async throws {
        let gate = StepGate()
        let tiny = try tiny(ScriptedPainter { step, pass in if step == 0 { try gate.pass(step, pass) } }) {
            $0.server.queueDepth = 1
        }
        async let first = events(request(), of: tiny, client: "one")
        #expect(await gate.reached() == 0)
        var second = tiny.assistant.pictures.make(request(), client: "two").makeAsyncIterator()
        #expect(try await second.next() == .queued(.init(ahead: 1)))
        let error = await #expect(throws: AssistantError.self) {
            try await events(request(), of: tiny, client: "three")
        }
        #expect(error?.code == .queueFull)
        #expect(error?.retryAfter != nil)
        // A question has a line of its own.
        let answer = try await tiny.complete(TinyAssistant.request(.text("hello"), tokens: 2))
        #expect(answer.tokens.count == 2)
        gate.open()
        #expect(try await first.last?.name == "completed")
        var last: PictureEvent?
        while let event = try await second.next() { last = event }
        #expect(last?.name == "completed")
    }

    @Test func aWaitingRequestThatIsCancelledLeavesTheLine() async throws {
        let gate = StepGate()
        let tiny = try tiny(ScriptedPainter { step, pass in if step == 0 { try gate.pass(step, pass) } })
        async let first = events(request(), of: tiny, client: "one")
        #expect(await gate.reached() == 0)
        let second = Task { try await events(request(), of: tiny, client: "two") }
        while tiny.assistant.core.engine.gate.hasWaitingPictures == false { await Task.yield() }
        second.cancel()
        _ = try? await second.value
        while tiny.assistant.core.engine.gate.hasWaitingPictures { await Task.yield() }
        gate.open()
        _ = try await first
    }

    @Test func modelsStayInMemorySideBySide() async throws {
        let painter = ScriptedPainter()
        let tiny = try tiny(painter, models: ["oil", "water"])
        for name in ["oil", "oil", "water", "OIL"] {
            _ = try await events(request { $0.model = name }, of: tiny)
        }
        #expect(painter.loaded == ["oil", "water"])
        // Another prediction is another model in memory.
        _ = try await events(request { ($0.model, $0.prediction) = ("oil", "v_prediction") }, of: tiny)
        #expect(painter.loaded.count == 3)
        let models = await tiny.assistant.models()
        #expect(models.map(\.id) == ["oil", "tiny", "water"])
        #expect(models.map(\.kind) == [.picture, .chat, .picture])
        #expect(models.map(\.state) == [.loaded, .unloaded, .loaded])
        #expect(models[0].pictureDetails?.factor == 8)
    }

    @Test func errorsNameTheFieldAndHarmNobody() async throws {
        let tiny = try tiny(ScriptedPainter(), models: ["paint", "broken"]) { $0.picture.model = "paint" }
        let cases: [(AssistantError.Code, String, (inout PictureRequest) -> Void)] = [
            (.invalidRequest, "width", { $0.width = 100 }),
            (.invalidRequest, "steps", { $0.steps = 0 }),
            (.invalidRequest, "scheduler", { $0.scheduler = "heun" }),
            (.invalidRequest, "mask", { $0.mask = Data([1]) }),
            (.invalidRequest, "init_image", { $0.initImage = Data("no picture".utf8) }),
            (.invalidRequest, "strength", { $0.strength = 0 }),
            (.invalidRequest, "count", { $0.count = 11 }),
            (.invalidRequest, "loras", { $0.loras = [.init(name: "none")] }),
            (.modelNotFound, "model", { $0.model = "none" }),
            (.modelUnusable, "model", { $0.model = "broken" }),
            (.invalidRequest, "model", { $0.model = "tiny" }),
        ]
        for (code, field, change) in cases {
            let error = await #expect(throws: AssistantError.self) {
                try await events(request(change), of: tiny)
            }
            #expect(error?.code == code && error?.parameter == field, "\(String(describing: error))")
        }
        #expect(try await events(request(), of: tiny).last?.name == "completed")
        // And the other way round.
        let error = await #expect(throws: AssistantError.self) {
            try await tiny.complete(TinyAssistant.request(.text("x"), tokens: 1, model: "paint"))
        }
        #expect(error?.message.contains("paints pictures") == true)
    }

    @Test func aTinyDecoderBesideTheModelsIsTakenWhereItFits() async throws {
        for (fits, notices) in [(true, []), (false, ["model_warning"])] {
            let painter = ScriptedPainter(decoders: [.full], takesTinyDecoder: fits)
            let tiny = try tiny(painter)
            try Data().write(to: URL(filePath: tiny.folder + "/inkling/models/taesd.safetensors"))
            let events = try await events(request(), of: tiny)
            let codes = events.compactMap { if case .notice(let notice) = $0 { notice.code } else { nil } }
            #expect(codes == notices)
            #expect(events.last?.name == "completed")
            #expect(painter.tinyDecoders == [fits ? tiny.folder + "/inkling/models/taesd.safetensors" : nil])
        }
    }

    @Test func withoutAnyPictureModelTheErrorSaysWhereToPutOne() async throws {
        let tiny = try tiny(ScriptedPainter(), models: [])
        let error = await #expect(throws: AssistantError.self) { try await events(request(), of: tiny) }
        #expect(error?.code == .modelNotFound)
        #expect(error?.message.contains("Stable Diffusion") == true)
        #expect(error?.message.contains(tiny.folder) == true)
    }

    @Test func aModelThatIsTooLargeIsRefusedWithFigures() async throws {
        let tiny = try tiny(ScriptedPainter(byteCount: 200 << 20)) { $0.picture.memory = 100 << 20 }
        let error = await #expect(throws: AssistantError.self) { try await events(request(), of: tiny) }
        #expect(error?.code == .outOfMemory)
        #expect(error?.message.contains("200 MiB") == true && error?.message.contains("100 MiB") == true)
    }

    @Test func aPictureThatIsTooLargeIsRefusedWithFigures() async throws {
        let tiny = try tiny(ScriptedPainter(byteCount: (64 << 20) - 8000)) { $0.picture.memory = 64 << 20 }
        #expect(try await events(request(), of: tiny).last?.name == "completed")
        let error = await #expect(throws: AssistantError.self) {
            try await events(request { $0.width = 256 }, of: tiny)
        }
        #expect(error?.code == .outOfMemory && error?.parameter == "size")
    }

    @Test func anIdleChatModelGoesWhereItsMemoryIsNeeded() async throws {
        let painter = ScriptedPainter(byteCount: 800_000)
        let tiny = try tiny(painter)
        var configuration = Configuration()
        configuration.engine.threads = 1
        configuration.chat.contextLength = 256
        configuration.memory.budget = 1_000_000
        let engine = Engine(configuration, painters: painter.source)
        let catalog = tiny.assistant.core.catalog
        let core = CompletionCore(configuration, catalog: catalog, engine: engine)
        let pictures = PictureCore(catalog: catalog, engine: engine, source: painter.source)
        let running = try core.start(
            TinyAssistant.request(.text("x"), tokens: 1), lane: "", owner: nil)
        for try await _ in running.events {}
        #expect(engine.gate.resident?.state == .loaded)
        for try await _ in try pictures.pictureEngine.start(
            request {
                $0.width = 8; $0.height = 8
            }, ""
        ).events {}
        #expect(engine.gate.resident == nil)
        #expect(engine.gate.resident(.picture)?.state == .loaded)
    }
}
