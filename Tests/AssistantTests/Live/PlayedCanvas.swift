import AssistantAPI
import Testing

@testable import Assistant

/// What tests of a canvas have in common: an engine that is played by hand, and a clock that is set by hand.
protocol PlayedCanvas {
    var frames: ScriptedFrames { get }
    var clock: ManualClock { get }
    var tally: CanvasTally { get }
    var measures: StageMeasures { get }
}

extension PlayedCanvas {
    func open(_ change: (inout CanvasSettings) -> Void = { _ in }) throws -> LiveCanvas {
        var draft = CanvasDraft()
        change(&draft.settings)
        return try LiveCanvas(
            id: "c", draft: draft, client: "test", engine: frames.engine, clock: CanvasClock(clock),
            measures: measures, tally: tally, budget: 300)
    }

    /// A canvas whose model is measured: a draft of 128 pixels, a better one, and the settled picture of 512.
    func measured(
        _ change: (inout CanvasSettings) -> Void = { _ in }
    ) async throws -> (LiveCanvas, CanvasFeed.Stream.Iterator) {
        let canvas = try open(change)
        var events = canvas.events(after: nil).makeAsyncIterator()
        let probe = try #require(await frames.next())
        #expect(probe.request.probe?.stage.width == 128 && probe.request.probe?.isKnown == false)
        probe.finish()
        try await untilStaged(&events)
        return (canvas, events)
    }

    /// Reads on until the stages are known.
    func untilStaged(_ events: inout CanvasFeed.Stream.Iterator) async throws {
        while let numbered = try await events.next() {
            if case .canvas(let canvas) = numbered.event, !canvas.stages.isEmpty { break }
        }
    }

    func type(_ text: String, _ revision: Int, on canvas: LiveCanvas) throws {
        _ = try canvas.type(.init(text: text, revision: revision))
    }

    func next(_ name: String, _ events: inout CanvasFeed.Stream.Iterator) async throws -> CanvasEvent? {
        while let numbered = try await events.next() {
            if numbered.event.name == name { return numbered.event }
        }
        return nil
    }

    func nextFrame(_ events: inout CanvasFeed.Stream.Iterator) async throws -> CanvasEvent.Frame {
        let event = try await next("frame", &events)
        guard case .frame(let frame)? = event else { throw NoSuchEvent(name: "frame") }
        return frame
    }

    func nextFailure(_ events: inout CanvasFeed.Stream.Iterator) async throws -> CanvasEvent.Failure {
        let event = try await next("failed", &events)
        guard case .failed(let failure)? = event else { throw NoSuchEvent(name: "failed") }
        return failure
    }
}

/// The stream ended before such an event.
struct NoSuchEvent: Error {
    let name: String
}
