import AssistantAPI
import FoundationEssentials
import Settings
import Testing

@testable import Assistant

/// Models in memory: side by side within the budget, and until nobody used them for long, on a manual clock.
@Suite(.timeLimit(.minutes(5)))
struct ResidencyTests {
    private let clock = ManualClock()

    private func tiny(
        _ names: [String] = ["tiny", "other"], painter: ScriptedPainter = ScriptedPainter(),
        configure: (inout Configuration) -> Void = { _ in }
    ) throws -> TinyAssistant {
        let tiny = try TinyAssistant(
            contextLength: 1 << 16, names: names, painters: painter.source, clock: clock,
            configure: {
                // So much context that each model fits into little.
                $0.chat.contextLength = 256
                configure(&$0)
            })
        try ScriptedPainter.makeModel("paint", in: tiny.folder + "/inkling/models")
        return tiny
    }

    @discardableResult
    private func ask(
        _ model: String, _ tiny: TinyAssistant, keepAlive: KeepAlive? = nil
    ) async throws -> TinyAssistant.Outcome {
        var request = TinyAssistant.request(.text("hello"), tokens: 2, model: model)
        request.keepAlive = keepAlive
        let outcome = try await tiny.complete(request)
        await tiny.assistant.core.engine.gate.idle()
        return outcome
    }

    /// The same, whatever else is being done.
    private func answer(_ model: String, _ tiny: TinyAssistant) async throws {
        _ = try await tiny.complete(TinyAssistant.request(.text("hello"), tokens: 2, model: model))
    }

    private func paint(_ tiny: TinyAssistant, keepAlive: KeepAlive? = nil) async throws {
        var request = PictureRequest(prompt: "a fox")
        request.keepAlive = keepAlive
        for try await _ in tiny.assistant.pictures.make(request) {}
        await tiny.assistant.core.engine.gate.idle()
    }

    private func loaded(_ tiny: TinyAssistant) -> [String] {
        tiny.assistant.memory().models.map(\.id).sorted()
    }

    /// Lets time pass, and waits until so many models are left.
    private func wait(_ duration: Duration, until count: Int, _ tiny: TinyAssistant) async {
        clock.advance(by: duration)
        while tiny.assistant.memory().models.count != count { await Task.yield() }
    }

    /// Of the tiny model, beside its caches.
    private func weights(_ tiny: TinyAssistant) -> Int {
        tiny.assistant.core.engine.memory.ledger.bytes(of: .weights)
    }

    // MARK: - Side by side

    @Test func modelsOfBothKindsStaySideBySide() async throws {
        let tiny = try tiny()
        for model in ["tiny", "other", "tiny", "other"] { try await ask(model, tiny) }
        try await paint(tiny)
        #expect(loaded(tiny) == ["other", "paint", "tiny"])
        let again = try await ask("tiny", tiny)
        #expect(!again.events.contains(.loading(fraction: 0)))
        let report = tiny.assistant.memory()
        #expect(report.models.first?.id == "tiny")
        #expect(report.used == report.memory.reduce(0) { $0 + $1.bytes } && report.used > 0)
        #expect(report.models.allSatisfy { $0.state == .loaded && !$0.isInUse && $0.expiresAt != nil })
        #expect(report.models.first?.memory.map(\.kind) == [.weights, .prefixCaches])
        #expect(tiny.assistant.metrics().loadedModels == 3)
    }

    @Test func theModelThatWasNotUsedForLongestMakesRoom() async throws {
        let one = try tiny(["one"])
        try await ask("one", one)
        let size = weights(one)
        let tiny = try tiny(["one", "two", "three"]) { $0.memory.budget = size * 5 / 2 }
        for (second, model) in ["one", "two", "one", "three"].enumerated() {
            clock.advance(by: .seconds(second))
            try await ask(model, tiny)
        }
        #expect(loaded(tiny) == ["one", "three"])
        #expect(tiny.assistant.core.engine.memory.peak <= size * 5 / 2)
    }

    @Test func whatDoesNotFitNowIsRefusedWithFiguresAndLeavesOthersAlone() async throws {
        let gate = StepGate()
        let painter = ScriptedPainter(byteCount: 8 << 20) { step, pass in
            if step == 0 { try gate.pass(step, pass) }
        }
        let tiny = try tiny(["one"], painter: painter) { $0.memory.budget = (8 << 20) + 100_000 }
        async let painted: Void = paint(tiny)
        #expect(await gate.reached() == 0)
        let error = await #expect(throws: AssistantError.self) { try await answer("one", tiny) }
        #expect(error?.code == .outOfMemory && error?.retryAfter == 30)
        #expect(error?.message.contains("1 MiB") == true)
        #expect(loaded(tiny) == ["paint"] && tiny.assistant.memory().models[0].isInUse)
        gate.open()
        try await painted
        // Now that nobody paints, the painter makes room.
        try await ask("one", tiny)
        #expect(loaded(tiny) == ["one"])
    }

    @Test func whatNeverFitsIsRefusedForGood() async throws {
        let tiny = try tiny(painter: ScriptedPainter(byteCount: 90 << 20)) { $0.memory.budget = 80 << 20 }
        try await ask("tiny", tiny)
        let error = await #expect(throws: AssistantError.self) { try await paint(tiny) }
        #expect(error?.code == .outOfMemory && error?.retryAfter == nil)
        #expect(error?.message.contains("90 MiB") == true && error?.message.contains("80 MiB") == true)
        #expect(loaded(tiny) == ["tiny"])
    }

    @Test func idleCachesGoBeforeModels() async throws {
        let one = try tiny(["one"])
        try await ask("one", one)
        let size = weights(one)
        let painter = ScriptedPainter(byteCount: size)
        let tiny = try tiny(["one"], painter: painter) { $0.memory.budget = 2 * size }
        try await ask("one", tiny)
        #expect(tiny.assistant.core.engine.memory.ledger.bytes(of: .prefixCaches) > 0)
        try await paint(tiny)
        #expect(loaded(tiny) == ["one", "paint"])
        #expect(tiny.assistant.core.engine.memory.ledger.bytes(of: .prefixCaches) == 0)
    }

    @Test func cachesOfAllModelsTogetherKeepToTheirLimit() async throws {
        let tiny = try tiny { $0.chat.cacheMemory = 5000 }
        let memory = tiny.assistant.core.engine.memory
        try await ask("tiny", tiny)
        let first = memory.ledger.bytes(of: .prefixCaches)
        clock.advance(by: .seconds(1))
        try await ask("other", tiny)
        // Two would be too many; what was used last stays.
        #expect(first > 2500 && memory.ledger.bytes(of: .prefixCaches) == first)
        let report = tiny.assistant.memory().models.first { $0.id == "other" }
        #expect(report?.memory.contains { $0.kind == .prefixCaches } == true)
    }

    @Test func framesOfCanvasesCountAndTheOlderOnesGo() async throws {
        let tiny = try TinyAssistant(painters: ScriptedPainter().source)
        try ScriptedPainter.makeModel("paint", in: tiny.folder + "/inkling/models")
        let canvases = tiny.assistant.canvases
        let id = try await canvases.open(CanvasDraft(), client: "painter").id
        let memory = tiny.assistant.core.engine.memory
        func frames(isInUse: Bool) -> Int {
            memory.ledger.holdings.reduce(0) {
                $0 + ($1.kind == .frames && $1.isInUse == isInUse ? $1.bytes : 0)
            }
        }
        for (revision, text) in [(1, "a fox "), (2, "a fox and an owl ")] {
            _ = try canvases.type(.init(text: text, revision: revision), on: id)
            for try await numbered in try canvases.events(of: id, after: nil) {
                if case .frame(let frame) = numbered.event, frame.revision == revision { break }
            }
        }
        #expect(frames(isInUse: true) > 0 && frames(isInUse: false) > 0)
        memory.release(.init(owner: .canvas(id), kind: .frames, bytes: .max))
        #expect(frames(isInUse: true) > 0 && frames(isInUse: false) == 0)
    }

    // MARK: - Time

    @Test func anIdleModelGoesAfterItsTime() async throws {
        let tiny = try tiny { $0.memory.keepAlive = .seconds(60) }
        try await ask("tiny", tiny)
        clock.advance(by: .seconds(30))
        try await paint(tiny)
        await wait(.seconds(30), until: 1, tiny)
        #expect(loaded(tiny) == ["paint"])
        await wait(.seconds(30), until: 0, tiny)
        #expect(tiny.assistant.memory().used == 0)
        #expect(tiny.assistant.health().models.allSatisfy { $0.state == .unloaded })
        // And comes back when it is asked for.
        #expect(try await ask("tiny", tiny).tokens.count == 2)
    }

    @Test func useProlongsTheStay() async throws {
        let tiny = try tiny { $0.memory.keepAlive = .seconds(60) }
        try await ask("tiny", tiny)
        for _ in 0..<5 {
            clock.advance(by: .seconds(40))
            #expect(!(try await ask("tiny", tiny)).events.contains(.loading(fraction: 0)))
        }
        #expect(loaded(tiny) == ["tiny"])
    }

    @Test func aRequestSaysHowLongItsModelStays() async throws {
        let tiny = try tiny { $0.memory.keepAlive = .seconds(60) }
        try await ask("tiny", tiny, keepAlive: .forever)
        try await ask("other", tiny, keepAlive: .seconds(600))
        try await paint(tiny, keepAlive: .seconds(0))
        while loaded(tiny) != ["other", "tiny"] { await Task.yield() }
        await wait(.seconds(599), until: 2, tiny)
        await wait(.seconds(1), until: 1, tiny)
        clock.advance(by: .seconds(1_000_000))
        await tiny.assistant.core.engine.unloadExpired()
        #expect(loaded(tiny) == ["tiny"] && tiny.assistant.memory().models[0].expiresAt == nil)
    }

    @Test(arguments: ["TINY", "tiny.gguf"])
    func aPinnedModelStaysUntilItIsStopped(name: String) async throws {
        let tiny = try tiny { ($0.memory.keepAlive, $0.memory.pinned) = (.seconds(60), [name]) }
        try await ask("tiny", tiny)
        try await ask("other", tiny)
        #expect(try await tiny.assistant.pin("Other", true) == "other")
        #expect(tiny.assistant.memory().models.allSatisfy { $0.isPinned && $0.expiresAt == nil })
        clock.advance(by: .seconds(1000))
        await tiny.assistant.core.engine.unloadExpired()
        #expect(loaded(tiny) == ["other", "tiny"])
        // No longer pinned, it was to go long since.
        _ = try await tiny.assistant.pin("other", false)
        #expect(loaded(tiny) == ["tiny"])
        _ = try await tiny.assistant.unload("tiny")
        #expect(loaded(tiny).isEmpty)
        await #expect(throws: AssistantError.self) { try await tiny.assistant.pin("nothing", true) }
    }

    @Test func aModelInUseStaysUntilItsWorkIsDone() async throws {
        let gate = StepGate()
        let painter = ScriptedPainter { step, pass in if step == 0 { try gate.pass(step, pass) } }
        let tiny = try tiny(painter: painter) { $0.memory.keepAlive = .seconds(0) }
        async let painted: Void = paint(tiny)
        #expect(await gate.reached() == 0)
        clock.advance(by: .seconds(1000))
        #expect(tiny.assistant.memory().models.first?.isInUse == true)
        gate.open()
        try await painted
        while !loaded(tiny).isEmpty { await Task.yield() }
    }

    // MARK: - Stopping

    @Test func aModelCanBeLetGo() async throws {
        let tiny = try tiny()
        try await ask("tiny", tiny)
        try await ask("other", tiny)
        #expect(try await tiny.assistant.unload("TINY") == "tiny")
        #expect(loaded(tiny) == ["other"])
        let error = await #expect(throws: AssistantError.self) { try await tiny.assistant.unload("tiny") }
        #expect(error?.code == .modelNotFound && error?.message.contains("other") == true)
    }

    @Test func aModelAtWorkIsLetGoWhenItIsDone() async throws {
        let gate = StepGate()
        let tiny = try tiny(
            painter: ScriptedPainter { step, pass in if step == 0 { try gate.pass(step, pass) } })
        async let painted: Void = paint(tiny)
        #expect(await gate.reached() == 0)
        async let stopped = tiny.assistant.unload("paint")
        #expect(loaded(tiny) == ["paint"])
        gate.open()
        try await painted
        #expect(try await stopped == "paint")
        while !loaded(tiny).isEmpty { await Task.yield() }
    }
}
