import AssistantAPI
import Foundation
import Testing

@testable import Terminal

@Suite struct LiveStatusTests {
    private func frame(
        _ number: Int, revision: Int, _ stage: CanvasStage.Name = .draft, step: Int = 2, steps: Int = 4
    ) -> CanvasEvent.Frame {
        CanvasEvent.Frame(
            number: number, revision: revision, stage: stage, step: step, steps: steps,
            isSettled: stage == .settled, width: 256, height: 256, format: .png, data: Data(),
            timings: FrameTimings(sinceKey: 1, waited: 0, encode: 0, denoise: 1, decode: 0))
    }

    private func ms(_ count: Int) -> Duration { .milliseconds(count) }

    @Test func timesAreFromTheKeyToTheFrameOfItsText() {
        var status = LiveStatus()
        status.type(revision: 1, at: ms(100))
        status.type(revision: 2, at: ms(200))
        status.show(frame(1, revision: 1), at: ms(350))
        #expect(status.latency == ms(250))
        status.show(frame(2, revision: 2), at: ms(360))
        #expect(status.latency == ms(160))
        // A better frame of a text that was shown already changes nothing.
        status.show(frame(3, revision: 2, .settled), at: ms(2000))
        #expect(status.latency == ms(160))
        // One that nothing was shown of does not count for the next.
        status.type(revision: 3, at: ms(3000))
        status.type(revision: 4, at: ms(3100))
        status.show(frame(4, revision: 4, step: 4), at: ms(3150))
        #expect(status.latency == ms(50))
        #expect(status.frameCount == 4)
        #expect(status.stepsSaved == 6)
    }

    @Test func textsThatRenderNothingAreForgotten() {
        var status = LiveStatus()
        status.type(revision: 1, at: ms(0))
        status.receive(.settled(.init(revision: 1, frame: 0)))
        status.show(frame(1, revision: 1), at: ms(9000))
        #expect(status.latency == nil)
    }

    @Test func aFrameThatIsDrawnAfterItsTextSettledCounts() {
        var status = LiveStatus()
        status.type(revision: 1, at: ms(0))
        status.beginDrawing(revision: 1)
        status.receive(.settled(.init(revision: 1, frame: 1)))
        status.show(frame(1, revision: 1), at: ms(70))
        #expect(status.latency == ms(70))
    }

    @Test func theTimeToTheSettledPictureIsFromItsTextsLastKey() {
        var status = LiveStatus()
        status.type(revision: 1, at: ms(0))
        status.type(revision: 2, at: ms(100))
        status.show(frame(1, revision: 2), at: ms(150))
        #expect(status.settlingTime == nil)
        status.show(frame(2, revision: 2, .settled), at: ms(1200))
        #expect(status.settlingTime == ms(1100))
        // Painted again with another seed: that is nobody's key.
        status.show(frame(3, revision: 2, .settled), at: ms(9000))
        #expect(status.settlingTime == ms(1100))
        // A text that settles without a frame leaves nothing to measure either.
        status.type(revision: 3, at: ms(10_000))
        status.receive(.settled(.init(revision: 3, frame: 3)))
        status.show(frame(4, revision: 3, .settled), at: ms(20_000))
        #expect(status.settlingTime == ms(1100))
    }

    @Test func rendersThatWereStoppedAndTextsThatWereSkippedAreCounted() {
        var status = LiveStatus()
        for revision in 1...5 { status.type(revision: revision, at: ms(revision)) }
        status.receive(.superseded(.init(revision: 2, stage: .draft, step: 1)))
        status.show(frame(1, revision: 5, .settled, step: 4), at: ms(45))
        #expect((status.supersededCount, status.skippedCount) == (1, 3))
        status.receive(.settled(.init(revision: 5, frame: 1)))
        #expect(
            status.text(columns: 100)
                == "256×256 settled  key to frame 40 ms, settled 40 ms  1 frame, 1 superseded, 3 skipped")
        // What matters most is what a narrow window shows.
        #expect(status.text(columns: 52) == "256×256 settled  key to frame 40 ms, settled 40 ms…")
    }

    @Test func eachPhaseHasItsWords() {
        var status = LiveStatus()
        #expect(status.text(columns: 80) == "waiting for the daemon")
        status.receive(.loading(.init(fraction: 0.505)))
        #expect(status.text(columns: 80) == "loading the model 50 %")
        status.receive(.progress(.init(revision: 1, stage: .draft, step: 1, steps: 2)))
        #expect(status.text(columns: 80) == "draft 1/2")
        status.type(revision: 1, at: ms(0))
        status.show(frame(1, revision: 1, step: 1, steps: 4), at: ms(143))
        status.receive(.progress(.init(revision: 1, stage: .settled, step: 1, steps: 4)))
        #expect(
            status.text(columns: 80) == "256×256 settled 1/4  key to frame 143 ms  1 frame  3 steps saved")
        status.show(frame(2, revision: 1, .settled, step: 4), at: ms(900))
        status.receive(.settled(.init(revision: 1, frame: 2)))
        #expect(
            status.text(columns: 80)
                == "256×256 settled  key to frame 143 ms, settled 900 ms  2 frames  3 steps saved")
        #expect(status.text(columns: 20) == "256×256 settled  k…")
        status.isKeeping = true
        #expect(status.text(columns: 24) == "256×256 keeping it  ke…")
        status.receive(.failed(.init(revision: 2, error: AssistantError(.outOfMemory, "no\u{1B} room"))))
        #expect(status.text(columns: 20).hasPrefix("no room"))
        status.loseConnection()
        #expect(status.text(columns: 60).hasPrefix("the daemon is gone, connecting again"))
        status.loseConnection(.refused(status: 503, code: nil, message: "all canvases\n are in use"))
        #expect(status.text(columns: 60).hasPrefix("all canvases are in use"))
    }

    @Test func whyATextCannotBePaintedStaysUntilTheNextOne() {
        var status = LiveStatus()
        status.receive(.failed(.init(revision: 2, error: AssistantError(.outOfMemory, "no room"))))
        status.receive(.settled(.init(revision: 2, frame: 1)))
        #expect(status.text(columns: 80) == "no room")
        status.receive(.settled(.init(revision: 3, frame: 1)))
        #expect(status.text(columns: 80) == "type what to paint")
    }

    @Test func numbersOfTheDaemonAreNotTrustedToMakeSense() {
        var status = LiveStatus()
        status.receive(.loading(.init(fraction: .nan)))
        #expect(status.text(columns: 80) == "loading the model 0 %")
        status.receive(.progress(.init(revision: 1, stage: .draft, step: .max, steps: .max)))
        #expect(status.text(columns: 80) == "draft 1000000/1000000")
        status.show(frame(1, revision: .max, step: .min, steps: .max), at: ms(1))
        #expect(status.stepsSaved == 1_000_000)
    }

    @Test func anEarlierFrameIsToldByItsPlaceAndItsText() {
        var recipe = CanvasServer.picture.recipe
        recipe.prompt = "a \u{1B}[2Jfox\nin the snow"
        let entry = CanvasTimeline.Entry(
            number: 2, revision: 1, stage: .settled, frame: FrameRecipe(recipe: recipe),
            shownAt: CanvasServer.date)
        let recalled = FrameBrowser.Recalled(entry: entry, data: .init(), count: 3)
        #expect(
            LiveStatus.text(of: recalled, columns: 80)
                == "frame 2 of 3  64×48 settled  seed 7  a [2Jfox in the snow")
        #expect(LiveStatus.text(of: recalled, columns: 20).count < 20)
    }
}
