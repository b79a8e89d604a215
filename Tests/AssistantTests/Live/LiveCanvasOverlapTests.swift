import AssistantAPI
import Synchronization
import Testing

@testable import Assistant

/// What happens on a canvas while something else of it is on its way.
@Suite(.timeLimit(.minutes(5)))
struct LiveCanvasOverlapTests: PlayedCanvas {
    let frames = ScriptedFrames()
    let clock = ManualClock()
    let tally = CanvasTally()
    let measures = StageMeasures()

    /// Plays a text's drafts, and returns its settled render.
    private func settling(
        _ text: String, on canvas: LiveCanvas, _ events: inout CanvasFeed.Stream.Iterator
    ) async throws -> ScriptedFrames.Call {
        try type(text, 1, on: canvas)
        for _ in 0..<2 {
            try #require(await frames.next()).finish()
            _ = try await nextFrame(&events)
            clock.advance(by: .seconds(1))
        }
        return try #require(await frames.next())
    }

    @Test func aPictureWhoseSettingsChangeWhileItsFileIsMadeIsNotShown() async throws {
        var (canvas, events) = try await measured()
        let old = try await settling("a fox ", on: canvas, &events)
        old.send(.step(1, of: 4))
        _ = try await next("progress", &events)
        old.deliver()
        var change = CanvasSettings()
        change.seed = 9
        // This ends what runs, whose picture is there.
        _ = try canvas.change(change)
        #expect(
            try await next("superseded", &events)
                == .superseded(.init(revision: 1, stage: .settled, step: 1)))
        #expect(canvas.timeline.frames.map(\.stage) == [.draft, .better])
        #expect(tally.value.superseded == 1 && tally.value.stepsWasted == 1 && tally.value.settled == 0)
        // Nor is it found again as what the text looks like now.
        try #require(await frames.next()).finish()
        clock.advance(by: .seconds(1))
        let new = try #require(await frames.next())
        #expect(new.text == "a fox " && new.request.picture.seed == 9 && new.request.rank == .draft)
        #expect(tally.value.recalled == 0)
    }

    @Test func aDraftThatEndsAfterTheKeptPictureIsNotShown() async throws {
        var (canvas, events) = try await measured()
        try type("a fox ", 1, on: canvas)
        let draft = try #require(await frames.next())
        let keeping = Task { try await canvas.picture(of: nil) }
        let kept = try #require(await frames.next())
        #expect(kept.request.lane == "c-kept")
        draft.deliver()
        kept.finish()
        _ = try await keeping.value
        let settled = try await nextFrame(&events)
        #expect(settled.isSettled)
        // The picture stays: the draft would come too late.
        #expect(draft.isStopped)
        #expect(
            try await next("superseded", &events)
                == .superseded(.init(revision: 1, stage: .draft, step: 0)))
        #expect(canvas.timeline.frames.map(\.stage) == [.settled] && tally.value.shown == 1)
    }

    @Test func changesOfTwoClientsAtOnceAreBothThere() async throws {
        let canvas = try open()
        frames.duringNextCheck {
            var other = CanvasSettings()
            (other.seed, other.steps) = (9, 3)
            _ = try? canvas.change(other)
        }
        var change = CanvasSettings()
        (change.width, change.steps) = (256, 2)
        let settings = try canvas.change(change).settings
        #expect(settings.seed == 9 && settings.width == 256)
        // Of what both changed, the one that came later.
        #expect(settings.steps == 2 && canvas.canvas.settings == settings)
        // What is refused changes nothing.
        change.model = "none"
        #expect(throws: AssistantError.self) { try canvas.change(change) }
        #expect(canvas.canvas.settings == settings)
    }

    @Test func enterStopsABetterStageThatItWouldWaitFor() async throws {
        var (canvas, events) = try await measured()
        try type("a fox ", 1, on: canvas)
        try #require(await frames.next()).finish()
        _ = try await nextFrame(&events)
        clock.advance(by: .seconds(1))
        let better = try #require(await frames.next())
        let keeping = Task { try await canvas.picture(of: nil) }
        let kept = try #require(await frames.next())
        #expect(kept.request.lane == "c-kept" && better.isStopped)
        #expect(
            try await next("superseded", &events)
                == .superseded(.init(revision: 1, stage: .better, step: 0)))
        kept.finish()
        _ = try await keeping.value
        let settled = try await nextFrame(&events)
        #expect(settled.isSettled)
        #expect(try await next("settled", &events) == .settled(.init(revision: 1, frame: 2)))
    }

    /// Waits until so many wait for the picture that another commit paints.
    private func wait(for count: Int, on canvas: LiveCanvas) async {
        while canvas.state.withLock({ $0.keepings.first?.waiting.count }) != count { await Task.yield() }
    }

    @Test func whoeverKeepsTheSameTextAtOnceGetsOnePicture() async throws {
        var (canvas, events) = try await measured()
        try type("a fox ", 1, on: canvas)
        try #require(await frames.next()).finish()
        _ = try await nextFrame(&events)
        let first = Task { try await canvas.picture(of: nil) }
        let kept = try #require(await frames.next())
        let second = Task { try await canvas.picture(of: nil) }
        let third = Task { try await canvas.picture(of: nil) }
        await wait(for: 2, on: canvas)
        // The text goes on meanwhile, so that the picture is not the canvas's.
        try type("an owl ", 2, on: canvas)
        clock.advance(by: .milliseconds(100))
        #expect(await frames.next()?.text == "an owl ")
        let count = frames.callCount
        kept.finish()
        let picture = try await first.value
        for other in [second, third] {
            let same = try await other.value
            #expect(same.bitmap == picture.bitmap && same.recipe.prompt == "a fox ")
        }
        #expect(frames.callCount == count && tally.value.settled == 0)
    }

    @Test func whoWaitsForAPictureThatFailsPaintsItAnew() async throws {
        var (canvas, events) = try await measured()
        try type("a fox ", 1, on: canvas)
        try #require(await frames.next()).finish()
        _ = try await nextFrame(&events)
        let first = Task { try await canvas.picture(of: nil) }
        let kept = try #require(await frames.next())
        let second = Task { try await canvas.picture(of: nil) }
        await wait(for: 1, on: canvas)
        kept.fail(AssistantError(.internalError, "no"))
        await #expect(throws: AssistantError.self) { _ = try await first.value }
        let again = try #require(await frames.next())
        #expect(again.request.lane == "c-kept" && again.text == "a fox ")
        again.finish()
        #expect(try await second.value.recipe.prompt == "a fox ")
        let left = canvas.state.withLock { $0.keepings.count }
        #expect(left == 0)
    }
}
