import AssistantAPI
import Synchronization
import Testing

@testable import Assistant

/// What fails on a canvas ends nothing.
@Suite(.timeLimit(.minutes(5)))
struct LiveCanvasFailureTests: PlayedCanvas {
    let frames = ScriptedFrames()
    let clock = ManualClock()
    let tally = CanvasTally()
    let measures = StageMeasures()
    private let tooLarge = AssistantError(.outOfMemory, "too large")

    private func retryDeadline(_ canvas: LiveCanvas) -> Duration? {
        canvas.state.withLock { canvas.retryDeadline($0) }
    }

    @Test func aFailedRenderEndsNothing() async throws {
        var (canvas, events) = try await measured()
        try type("one", 1, on: canvas)
        try #require(await frames.next()).fail(AssistantError(.outOfMemory, "too large", parameter: "size"))
        let failure = try await nextFailure(&events)
        #expect(failure.revision == 1 && failure.error.code == .outOfMemory)
        try type("one two ", 2, on: canvas)
        clock.advance(by: .seconds(1))
        #expect(await frames.next()?.text == "one two ")
    }

    @Test func aModelThatCannotBeLoadedIsTriedAgainLater() async throws {
        let canvas = try open()
        var events = canvas.events(after: nil).makeAsyncIterator()
        try #require(await frames.next()).fail(AssistantError(.outOfMemory, "too large"))
        #expect(try await next("failed", &events) != nil)
        try type("a ", 1, on: canvas)
        #expect(frames.callCount == 1)
        clock.advance(by: .seconds(3))
        try type("a fox ", 2, on: canvas)
        try #require(await frames.next()).finish()
        #expect(await frames.next()?.text == "a fox ")
    }

    /// Lets time pass until a render begins, the probe being the first.
    private func wait(forMoreThan calls: Int) async {
        while frames.callCount <= calls {
            clock.advance(by: .milliseconds(100))
            await Task.yield()
        }
    }

    @Test func aFailedDraftLeavesTheSettledPictureAndNoFrameOfAnotherTextCountsAsIt() async throws {
        var (canvas, events) = try await measured()
        try type("a fox ", 1, on: canvas)
        for calls in 1...2 {
            try #require(await frames.next()).fail(tooLarge)
            #expect(try await nextFailure(&events).revision == 1)
            await wait(forMoreThan: calls + 1)
        }
        // As long as was expected, so that the stages stay as they are.
        try #require(await frames.next()).finish(step: 640)
        let settled = try await nextFrame(&events)
        #expect(settled.isSettled)
        #expect(try await next("settled", &events) == .settled(.init(revision: 1, frame: 1)))
        try type("an owl ", 2, on: canvas)
        await wait(forMoreThan: 4)
        for calls in 5...7 {
            try #require(await frames.next()).fail(tooLarge)
            #expect(try await nextFailure(&events).revision == 2)
            if calls < 7 { await wait(forMoreThan: calls) }
        }
        #expect(try await next("settled", &events) == .settled(.init(revision: 2, frame: 0)))
        #expect(tally.value.failed == 5 && tally.value.shown == 1)
    }

    @Test func aModelThatCannotBeLoadedIsTriedAgainByItselfEverLessOften() async throws {
        let canvas = try open()
        var events = canvas.events(after: nil).makeAsyncIterator()
        try #require(await frames.next()).fail(tooLarge)
        _ = try await nextFailure(&events)
        try type("a fox ", 1, on: canvas)
        for seconds in [2, 4] {
            #expect(await clock.nextSleep() == .seconds(seconds))
            #expect(frames.callCount == seconds / 2)
            clock.advance(by: .seconds(seconds))
            try #require(await frames.next()).fail(tooLarge)
            #expect(try await nextFailure(&events).error.code == .outOfMemory)
        }
        #expect(await clock.nextSleep() == .seconds(8))
        clock.advance(by: .seconds(8))
        try #require(await frames.next()).finish()
        #expect(await frames.next()?.text == "a fox ")
    }

    @Test func nothingIsTriedAgainForAnEmptyTextNorOnAClosedCanvas() async throws {
        let canvas = try open()
        var events = canvas.events(after: nil).makeAsyncIterator()
        try #require(await frames.next()).fail(tooLarge)
        _ = try await nextFailure(&events)
        try type("a", 1, on: canvas)
        #expect(await clock.nextSleep() == .seconds(2))
        try type(" ", 2, on: canvas)
        #expect(retryDeadline(canvas) == nil)
        try type("a", 3, on: canvas)
        #expect(retryDeadline(canvas) == .seconds(2))
        _ = canvas.close()
        clock.advance(by: .seconds(3))
        try type("a fox ", 4, on: canvas)
        #expect(frames.callCount == 1)
    }

    @Test func whoConnectsAfterAFailureIsTold() async throws {
        let canvas = try open()
        var first = canvas.events(after: nil).makeAsyncIterator()
        try #require(await frames.next()).fail(tooLarge)
        _ = try await nextFailure(&first)
        var second = canvas.events(after: nil).makeAsyncIterator()
        #expect(try await nextFailure(&second).error == tooLarge)
    }

    @Test func theTimeBetweenTwoTriesHasABound() {
        var retry = LoadRetry()
        var now = Duration.zero
        for _ in 0..<100 {
            retry.failed(at: now)
            let deadline = retry.deadline ?? .zero
            #expect(deadline - now >= LoadRetry.shortest && deadline - now <= LoadRetry.longest)
            now = deadline
            retry.begins()
            #expect(retry.deadline == nil && !retry.isDue(at: now))
        }
        retry.forget()
        retry.failed(at: now)
        #expect(retry.deadline == now + LoadRetry.shortest && !retry.isDue(at: now))
    }
}
