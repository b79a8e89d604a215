import AssistantAPI
import Settings
import Testing

@testable import Assistant

/// How many canvases there are, and how long; on a manual clock, with an engine that paints nothing.
@Suite(.timeLimit(.minutes(5)))
struct CanvasBoundsTests {
    private let frames = ScriptedFrames()
    private let clock = ManualClock()

    private func service(_ tiny: TinyAssistant, idle: Duration = .seconds(600)) -> CanvasService {
        var settings = Configuration().live
        settings.idle = idle
        return CanvasService(
            engine: frames.engine, keeping: tiny.assistant.pictures.keeping,
            conversations: tiny.assistant.conversations, settings: settings, clock: CanvasClock(clock))
    }

    private func open(_ canvases: CanvasService, count: Int = 1) async throws -> [String] {
        var ids: [String] = []
        for _ in 0..<count { ids.append(try await canvases.open(CanvasDraft(), client: "test").id) }
        return ids
    }

    @Test func noMoreAreOpenedThanThereMayBeHoweverManyAskAtOnce() async throws {
        let tiny = try TinyAssistant()
        let canvases = service(tiny)
        let opened = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<200 {
                group.addTask { (try? await canvases.open(CanvasDraft(), client: "test")) != nil }
            }
            var count = 0
            for await isOpen in group where isOpen { count += 1 }
            return count
        }
        #expect(opened == CanvasService.limit && canvases.list().count == CanvasService.limit)
        canvases.closeAll()
        let late = await #expect(throws: AssistantError.self) {
            try await canvases.open(CanvasDraft(), client: "test")
        }
        #expect(late?.code == .shuttingDown && canvases.list().isEmpty)
    }

    @Test func aNewOneTakesThePlaceOfTheOneThatWasIdleForLongest() async throws {
        let tiny = try TinyAssistant()
        let canvases = service(tiny)
        let oldest = try await open(canvases)[0]
        clock.advance(by: .seconds(1))
        let others = try await open(canvases, count: CanvasService.limit - 1)
        // Whoever is read is not idle, for however long nobody types.
        let events = try canvases.events(of: others[0], after: nil)
        clock.advance(by: CanvasService.leastIdle - .seconds(2))
        let full = await #expect(throws: AssistantError.self) { try await open(canvases) }
        #expect(full?.code == .queueFull && full?.retryAfter != nil)
        clock.advance(by: .seconds(1))
        let new = try await open(canvases)[0]
        #expect(throws: AssistantError.self) { try canvases.canvas(oldest) }
        #expect(canvases.list().count == CanvasService.limit)
        // The next in the line is not idle for long enough yet, nor is any once it was typed on.
        await #expect(throws: AssistantError.self) { try await open(canvases) }
        clock.advance(by: .seconds(1))
        for id in others.dropFirst() + [new] { _ = try canvases.type(.init(text: "a", revision: 1), on: id) }
        await #expect(throws: AssistantError.self) { try await open(canvases) }
        #expect(canvases.list().count == CanvasService.limit)
        withExtendedLifetime(events) {}
        canvases.closeAll()
    }

    @Test func theSweepClosesWhatIsIdleAndRestsWhileThereIsNone() async throws {
        let tiny = try TinyAssistant()
        let canvases = service(tiny, idle: .seconds(100))
        let ids = try await open(canvases, count: 2)
        let events = try canvases.events(of: ids[1], after: nil)
        for _ in 0..<2 {
            #expect(await clock.nextSleep() == .seconds(50))
            #expect(canvases.list().count == 2)
            clock.advance(by: .seconds(50))
        }
        // The sweep sleeps again once it has closed the one that nobody reads.
        #expect(await clock.nextSleep() == .seconds(50))
        #expect(canvases.list().map(\.id) == [ids[1]])
        withExtendedLifetime(events) {}
        _ = try canvases.close(ids[1])
        clock.advance(by: .seconds(50))
        // Whether that sweep is over already or not, one looks after the next canvas.
        _ = try await open(canvases)
        #expect(await clock.nextSleep() == .seconds(50))
        canvases.closeAll()
    }

    @Test func aTextToBeginWithIsRevisionOneAndATooLongOneOpensNothing() async throws {
        let tiny = try TinyAssistant()
        let canvases = service(tiny)
        let canvas = try await canvases.open(CanvasDraft(), client: "test", text: "a fox")
        #expect(canvas.prompt == Canvas.Prompt(text: "a fox", revision: 1))
        #expect(try canvases.type(.init(text: "older", revision: 1), on: canvas.id).text == "a fox")
        #expect(try canvases.type(.init(text: "newer", revision: 2), on: canvas.id).text == "newer")
        let long = String(repeating: "x", count: PicturePlan.promptBytes + 1)
        let error = await #expect(throws: AssistantError.self) {
            try await canvases.open(CanvasDraft(), client: "test", text: long)
        }
        #expect(error?.code == .invalidRequest && error?.parameter == "text")
        #expect(canvases.list().map(\.id) == [canvas.id])
        canvases.closeAll()
    }
}
