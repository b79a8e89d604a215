import AssistantAPI
import FoundationEssentials
import ImageCodecs
import Synchronization
import Testing

@testable import Assistant

/// A canvas with an engine that is played by hand, on a manual clock.
@Suite(.timeLimit(.minutes(5)))
struct LiveCanvasTests: PlayedCanvas {
    let frames = ScriptedFrames()
    let clock = ManualClock()
    let tally = CanvasTally()
    let measures = StageMeasures()

    @Test func aTextBecomesADraftAndThenTheSettledPicture() async throws {
        var (canvas, events) = try await measured()
        #expect(canvas.canvas.stages.map(\.name) == [.draft, .better, .settled])
        try type("a red fox", 1, on: canvas)
        let draft = try #require(await frames.next())
        #expect(draft.text == "a red fox" && draft.request.rank == .draft && !draft.request.isLast)
        #expect(draft.request.picture.seed == 0 && draft.request.picture.decoder == "tiny")
        clock.advance(by: .milliseconds(150))
        draft.finish()
        let frame = try await nextFrame(&events)
        #expect(frame.number == 1 && frame.revision == 1 && frame.stage == .draft && !frame.isSettled)
        #expect(frame.format == .webp && frame.timings.sinceKey == 150)
        // The better stages follow when the typing pauses.
        var stages: [CanvasStage.Name] = []
        for expected in [FrameEngine.Request.Rank.refinement, .refinement] {
            clock.advance(by: .seconds(1))
            let better = try #require(await frames.next())
            #expect(better.request.rank == expected)
            better.finish()
            stages.append(try await nextFrame(&events).stage)
        }
        #expect(stages == [.better, .settled])
        #expect(try await next("settled", &events) == .settled(.init(revision: 1, frame: 3)))
        #expect(canvas.timeline.frames.map(\.number) == [1, 2, 3])
        let counters = tally.value
        #expect(
            counters.started == 3 && counters.shown == 3 && counters.settled == 1 && counters.superseded == 0)
        #expect(counters.keyToFrame.count == 1 && counters.keyToFrame.sum == 150)
    }

    @Test func aNewerTextStopsTheRenderAndTellsSo() async throws {
        var (canvas, events) = try await measured()
        try type("a red fox ", 1, on: canvas)
        let first = try #require(await frames.next())
        first.send(.step(1, of: 3))
        _ = try await next("progress", &events)
        clock.advance(by: .milliseconds(60))
        try type("a red fox sits ", 2, on: canvas)
        #expect(first.isStopped)
        #expect(
            try await next("superseded", &events)
                == .superseded(.init(revision: 1, stage: .draft, step: 1)))
        let second = try #require(await frames.next())
        #expect(second.text == "a red fox sits ")
        #expect(tally.value.superseded == 1 && tally.value.stepsWasted == 1)
    }

    @Test func whatIsBeingRenderedIsWaitedForAndNotPaintedTwice() async throws {
        var (canvas, events) = try await measured()
        try type("a red fox ", 1, on: canvas)
        for _ in 0..<2 {
            try #require(await frames.next()).finish()
            _ = try await next("frame", &events)
            clock.advance(by: .seconds(1))
        }
        let settled = try #require(await frames.next())
        let keeping = Task { try await canvas.picture(of: nil) }
        while canvas.state.withLock({ $0.waiting.isEmpty }) { await Task.yield() }
        let count = frames.callCount
        settled.finish()
        #expect(try await keeping.value.recipe.prompt == "a red fox ")
        #expect(frames.callCount == count && tally.value.settled == 1)
    }

    @Test func theTextIsKeptAsItStoodWhateverIsTypedMeanwhile() async throws {
        var (canvas, events) = try await measured()
        try type("a red fox ", 1, on: canvas)
        for _ in 0..<2 {
            try #require(await frames.next()).finish()
            _ = try await next("frame", &events)
            clock.advance(by: .seconds(1))
        }
        let settled = try #require(await frames.next())
        let keeping = Task { try await canvas.picture(of: nil) }
        while canvas.state.withLock({ $0.waiting.isEmpty }) { await Task.yield() }
        try type("two black dogs ", 2, on: canvas)
        #expect(settled.isStopped)
        // The canvas goes on with the new text, and the old one's picture is made beside it.
        let calls = [try #require(await frames.next()), try #require(await frames.next())]
        for call in calls {
            #expect(call.text == (call.request.lane == "c" ? "two black dogs " : "a red fox "))
            call.finish()
        }
        #expect(Set(calls.map(\.request.lane)) == ["c", "c-kept"])
        #expect(try await keeping.value.recipe.prompt == "a red fox ")
        let frame = try await nextFrame(&events)
        #expect(frame.revision == 2)
    }

    @Test func aPictureThatIsKeptEarlyIsTheCanvasesSettledOne() async throws {
        var (canvas, events) = try await measured()
        try type("a red fox ", 1, on: canvas)
        try #require(await frames.next()).finish()
        _ = try await next("frame", &events)
        let keeping = Task { try await canvas.picture(of: nil) }
        let kept = try #require(await frames.next())
        #expect(kept.text == "a red fox " && kept.request.lane == "c-kept")
        clock.advance(by: .seconds(9))
        let count = frames.callCount
        kept.finish()
        _ = try await keeping.value
        let frame = try await nextFrame(&events)
        #expect(frame.isSettled && frame.number == 2 && frame.revision == 1)
        #expect(try await next("settled", &events) == .settled(.init(revision: 1, frame: 2)))
        #expect(frames.callCount == count)
        // What failed leaves the settled picture to the canvas.
        try type("two black dogs ", 2, on: canvas)
        try #require(await frames.next()).finish()
        _ = try await next("frame", &events)
        let failing = Task { try await canvas.picture(of: nil) }
        try #require(await frames.next()).fail(AssistantError(.internalError, "no"))
        await #expect(throws: AssistantError.self) { _ = try await failing.value }
        clock.advance(by: .seconds(1))
        #expect(await frames.next()?.request.lane == "c")
    }

    @Test func theAlarmRingsForAHalfWord() async throws {
        let (canvas, _) = try await measured()
        try type("f", 1, on: canvas)
        #expect(frames.callCount == 1)
        #expect(await clock.nextSleep() != nil)
        clock.advance(by: .milliseconds(150))
        #expect(await frames.next()?.text == "f")
    }

    @Test func aTextThatIsTypedAgainShowsItsPictureWithoutARender() async throws {
        var (canvas, events) = try await measured()
        try type("a fox", 1, on: canvas)
        for _ in 0..<3 {
            try #require(await frames.next()).finish()
            _ = try await next("frame", &events)
            clock.advance(by: .seconds(1))
        }
        _ = try await next("settled", &events)
        try type("a foxy", 2, on: canvas)
        clock.advance(by: .seconds(1))
        let other = try #require(await frames.next())
        #expect(other.text == "a foxy")
        other.finish()
        _ = try await next("frame", &events)
        let count = frames.callCount
        try type("a fox", 3, on: canvas)
        clock.advance(by: .seconds(1))
        let frame = try await nextFrame(&events)
        #expect(frame.number == 3 && frame.revision == 3 && frame.isSettled)
        #expect(try await next("settled", &events) == .settled(.init(revision: 3, frame: 3)))
        #expect(frames.callCount == count)
        #expect(tally.value.recalled == 1)
    }

    @Test func aSettledPictureIsNotShownAgainWhenThereAreMoreStages() async throws {
        let canvas = try open()
        var events = canvas.events(after: nil).makeAsyncIterator()
        try #require(await frames.next()).finish(step: 5)
        try await untilStaged(&events)
        #expect(canvas.canvas.stages.map(\.name) == [.draft, .settled])
        try type("a fox ", 1, on: canvas)
        try #require(await frames.next()).finish(step: 20)
        _ = try await nextFrame(&events)
        clock.advance(by: .seconds(1))
        // Much longer than was expected.
        try #require(await frames.next()).finish(step: 640)
        let settled = try await nextFrame(&events)
        #expect(settled.isSettled)
        _ = try await next("settled", &events)
        try await untilStaged(&events)
        #expect(canvas.canvas.stages.map(\.name) == [.draft, .better, .settled])
        let counters = tally.value
        #expect(counters.shown == 2 && counters.settled == 1 && counters.recalled == 0)
    }

    @Test func changedSettingsRenderEverythingAnew() async throws {
        var (canvas, events) = try await measured()
        try type("a fox", 1, on: canvas)
        let old = try #require(await frames.next())
        var change = CanvasSettings()
        change.seed = 9
        let changed = try canvas.change(change)
        #expect(changed.settings.seed == 9 && changed.stages.isEmpty && old.isStopped)
        let probe = try #require(await frames.next())
        // Another seed takes no other time.
        #expect(probe.request.probe?.isKnown == true)
        probe.finish()
        clock.advance(by: .seconds(1))
        let new = try #require(await frames.next())
        #expect(new.text == "a fox" && new.request.picture.seed == 9 && new.request.warm == nil)
        new.finish()
        #expect(try await next("frame", &events) != nil)
        #expect(throws: AssistantError.self) {
            var change = CanvasSettings()
            change.model = "none"
            _ = try canvas.change(change)
        }
    }

    @Test(arguments: [(7.5, 1.0), (1.0, 7.5)])
    func aModelThatWasMeasuredWithGuidanceHasDraftsWithoutItToo(before: Double, after: Double) async throws {
        let canvas = try open { ($0.steps, $0.guidanceScale) = (4, before) }
        var events = canvas.events(after: nil).makeAsyncIterator()
        try #require(await frames.next()).finish(step: 100)
        try await untilStaged(&events)
        let stages = canvas.canvas.stages
        #expect(stages.first?.name == .draft)
        var change = CanvasSettings()
        change.guidanceScale = after
        _ = try canvas.change(change)
        let probe = try #require(await frames.next())
        #expect(probe.request.probe?.isKnown == true)
        probe.finish()
        try await untilStaged(&events)
        let changed = canvas.canvas.stages
        #expect(changed.first?.name == .draft && changed.allSatisfy { $0.expected > 0 })
        // Every step computes the network once instead of twice, or twice instead of once.
        let (old, new) = (try #require(stages.last).expected, try #require(changed.last).expected)
        #expect(after > 1 ? new > old * 1.5 : new < old / 1.5)
    }

    @Test(arguments: [20, 4])
    func aDraftMayGoOnFromTheFrameBeforeWhereOneStepShowsNothing(steps: Int) async throws {
        var (canvas, events) = try await measured { $0.steps = steps }
        try type("a fox ", 1, on: canvas)
        let first = try #require(await frames.next())
        #expect(first.request.warm == nil)
        first.finish()
        _ = try await next("frame", &events)
        clock.advance(by: .milliseconds(100))
        try type("a foxes ", 2, on: canvas)
        // Letters within the text are half a word.
        clock.advance(by: .milliseconds(200))
        let second = try #require(await frames.next())
        let isWarm = second.request.warm?.parent == 1 && second.request.warm?.prompt == "a fox "
        #expect(steps == 20 ? isWarm : second.request.warm == nil)
    }

    @Test func aFloodKeepsOneRenderAndEndsWithTheLastText() async throws {
        let (canvas, _) = try await measured()
        for revision in 1...20_000 { try type("flood \(revision) ", revision, on: canvas) }
        // Time stands still: one render was begun, and stopped at most.
        #expect(frames.callCount <= 3)
        clock.advance(by: .seconds(2))
        var last = try #require(await frames.next())
        while last.text != "flood 20000 " {
            clock.advance(by: .seconds(2))
            if !last.isStopped { last.finish() }
            last = try #require(await frames.next())
        }
        #expect(tally.value.texts == 20_000 && tally.value.skipped > 19_000)
    }

    @Test func closingStopsWhatRunsAndEndsTheStreams() async throws {
        var (canvas, events) = try await measured()
        try type("a fox ", 1, on: canvas)
        let call = try #require(await frames.next())
        _ = canvas.close()
        #expect(call.isStopped)
        #expect(try await next("closed", &events) != nil)
        #expect(try await events.next() == nil)
    }

    @Test func framesAreBoundedAndTheOldestGoFirst() {
        var frames = CanvasFrames()
        let recipe = Recipe(
            model: "m", prompt: "p", width: 8, height: 8, steps: 1, seed: 0, scheduler: "euler",
            guidanceScale: 0, decoder: "tiny")
        let start = FrameRecipe.Start(parent: 1, level: 0.5, latents: Data(count: 32 << 10))
        for number in 1...1500 {
            let added = frames.add(
                revision: number, stage: .draft, frame: FrameRecipe(recipe: recipe, start: start),
                signature: [], format: .webp, data: Data(count: 100_000), isExact: false, at: Date())
            #expect(added == number)
        }
        #expect(frames.timeline.frames.count <= CanvasFrames.frameLimit)
        #expect(frames.timeline.frames.count * (32 << 10) <= CanvasFrames.latentLimit)
        #expect(frames.entry(1500)?.number == 1500 && frames.entry(1) == nil && frames.entry(1501) == nil)
        #expect(frames.file(1500) != nil && frames.file(1373) != nil && frames.file(1372) == nil)
        let held = frames.byteCount
        frames.release(250_000)
        #expect(held - frames.byteCount == 300_000 && frames.file(1375) == nil && frames.file(1376) != nil)
        frames.release(.max)
        #expect(frames.file(1500) != nil && frames.file(1499) == nil && frames.idleByteCount == 0)
    }
}
