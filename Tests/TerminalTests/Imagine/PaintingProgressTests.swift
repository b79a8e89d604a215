import AssistantAPI
import Foundation
import Testing

@testable import Terminal

@Suite struct PaintingProgressTests {
    private static func recipe(seed: UInt64 = 1) -> Recipe {
        Recipe(
            model: "m", prompt: "fox", width: 64, height: 64, steps: 4, seed: seed, scheduler: "ddim",
            guidanceScale: 1, decoder: "full")
    }

    private static func started(_ index: Int) -> PictureEvent {
        .started(.init(index: index, id: "p\(index)", recipe: recipe()))
    }

    private static func step(_ done: Int, of total: Int, _ milliseconds: Double, index: Int = 0)
        -> PictureEvent
    {
        .progress(.init(index: index, stage: .denoise, done: done, total: total, milliseconds: milliseconds))
    }

    private static func decoded(_ done: Int, of total: Int, index: Int = 0) -> PictureEvent {
        .progress(.init(index: index, stage: .decode, done: done, total: total, milliseconds: 1))
    }

    private static func finished(_ index: Int) -> PictureEvent {
        let picture = Picture(
            id: "p\(index)", format: .png, width: 64, height: 64, bytes: 1, sha256: "", recipe: recipe(),
            createdAt: .init(timeIntervalSince1970: 0))
        return .picture(.init(index: index, picture: picture, data: .init()))
    }

    /// A progress that has seen these events at these seconds.
    private func progress(_ count: Int = 1, _ events: [(Double, PictureEvent)]) -> PaintingProgress {
        var progress = PaintingProgress(count: count)
        for (time, event) in events { progress.receive(event, at: .seconds(time)) }
        return progress
    }

    private func row(_ progress: PaintingProgress, at seconds: Double = 0, columns: Int = 80) -> String {
        ProgressText.row(progress, at: .seconds(seconds), columns: columns)
    }

    // MARK: - The time left

    @Test func theTimeLeftIsTheStepsLeftTimesTheMiddleStep() {
        let events: [(Double, PictureEvent)] = [
            (0, Self.started(0)), (2, Self.step(1, of: 10, 2000)), (12, Self.step(2, of: 10, 10_000)),
            (14, Self.step(3, of: 10, 2000)),
        ]
        let progress = progress(1, events)
        #expect(progress.remaining(at: .seconds(14)) == .seconds(14))
        #expect(progress.remaining(at: .seconds(15)) == .seconds(13))
        #expect(progress.remaining(at: .seconds(100)) == .zero)
    }

    @Test func onlyTheLastStepsCount() {
        var events: [(Double, PictureEvent)] = [(0, Self.started(0))]
        for step in 1...8 { events.append((Double(step), Self.step(step, of: 20, 1000))) }
        for step in 9...13 { events.append((Double(step), Self.step(step, of: 20, 3000))) }
        #expect(progress(1, events).remaining(at: .seconds(13)) == .seconds(21))
    }

    @Test func nothingIsSaidBeforeAnythingIsKnown() {
        #expect(progress(1, []).remaining(at: .zero) == nil)
        #expect(progress(1, [(0, Self.started(0))]).remaining(at: .seconds(3)) == nil)
        #expect(
            progress(1, [(0, Self.started(0)), (1, Self.step(0, of: 4, 0))]).remaining(at: .seconds(1)) == nil
        )
        let odd = progress(1, [(0, Self.started(0)), (1, Self.step(1, of: 4, .nan))])
        #expect(odd.remaining(at: .seconds(1)) == nil)
    }

    @Test func furtherPicturesTakeAsLongAsTheFirst() {
        var events: [(Double, PictureEvent)] = [
            (0, Self.started(0)), (5, Self.step(2, of: 4, 2000)), (9, Self.step(4, of: 4, 2000)),
            (10, Self.decoded(0, of: 1)),
        ]
        #expect(progress(3, Array(events.prefix(2))).remaining(at: .seconds(5)) == .seconds(4 + 2 * 8))
        events += [(12, Self.finished(0)), (12, Self.started(1))]
        #expect(progress(3, events).remaining(at: .seconds(13)) == .seconds(11 + 12))
        events += [(17, Self.step(2, of: 4, 2000, index: 1))]
        #expect(progress(3, events).remaining(at: .seconds(18)) == .seconds(2 * 2 + 3 - 1 + 12))
        events += [(21, Self.step(4, of: 4, 2000, index: 1)), (22, Self.decoded(0, of: 1, index: 1))]
        #expect(progress(3, events).remaining(at: .seconds(22)) == .seconds(2 + 12))
    }

    // MARK: - The row

    @Test func eachPhaseHasItsWords() {
        #expect(row(progress(1, [])) == "waiting for the daemon")
        #expect(row(progress(1, [(0, .queued(.init(ahead: 1)))])) == "waiting for 1 request before this one")
        #expect(row(progress(1, [(0, .queued(.init(ahead: 3)))])) == "waiting for 3 requests before this one")
        #expect(
            row(progress(1, [(0, .loading(.init(fraction: 0.435)))]), columns: 50)
                == "loading the model  ██████████▍░░░░░░░░░░░░░  43 %")
        #expect(
            row(progress(1, [(0, Self.started(0))]), columns: 40) == "░░░░░░░░░░░░░░░░░░░  reading the prompt"
        )
        #expect(
            row(progress(4, [(0, Self.started(1)), (3, Self.step(5, of: 10, 1420, index: 1))]), at: 3)
                == "picture 2 of 4  █████████████░░░░░░░░░░░░░  step 5/10  1.42 s a step  36 s left")
        #expect(
            row(progress(1, [(0, Self.started(0)), (1, Self.decoded(3, of: 9))]), columns: 30)
                == "██████████████  finishing 4/9")
    }

    @Test func rowsFitTheTerminal() {
        let events = [
            PictureEvent.queued(.init(ahead: .max)), .loading(.init(fraction: 7)),
            .loading(.init(fraction: .nan)),
            .queued(.init(ahead: .min)), Self.started(.max), Self.step(1, of: .max, 1, index: .min),
            Self.started(3),
            Self.step(7, of: 20, 1e300, index: 3), Self.step(.max, of: 1, -1, index: 3),
            Self.decoded(0, of: 0),
        ]
        var progress = PaintingProgress(count: 1000)
        for event in events {
            progress.receive(event, at: .seconds(1))
            for columns in 0...120 {
                #expect(DisplayWidth.of(row(progress, at: 2, columns: columns)) <= max(1, columns - 1))
            }
        }
    }

    @Test func barsGrowByEighths() {
        #expect(ProgressText.bar(0, width: 4) == "░░░░")
        #expect(ProgressText.bar(1.0 / 32, width: 4) == "▏░░░")
        #expect(ProgressText.bar(0.5, width: 4) == "██░░")
        #expect(ProgressText.bar(31.0 / 32, width: 4) == "███▉")
        #expect(ProgressText.bar(1, width: 4) == "████")
        #expect(ProgressText.bar(.infinity, width: 4) == "████")
        #expect(ProgressText.bar(.nan, width: 4) == "░░░░")
    }

    @Test func linesTellEachQuarterOnce() {
        var progress = PaintingProgress(count: 2)
        var told: PaintingProgress?
        var lines: [String] = []
        func receive(_ event: PictureEvent, _ time: Double) {
            progress.receive(event, at: .seconds(time))
            guard let line = ProgressText.line(progress, at: .seconds(time), last: told) else { return }
            lines.append(line)
            told = progress
        }
        receive(.queued(.init(ahead: 2)), 0)
        receive(.queued(.init(ahead: 2)), 0)
        receive(.queued(.init(ahead: 1)), 0)
        receive(.loading(.init(fraction: 0.1)), 1)
        receive(.loading(.init(fraction: 0.5)), 2)
        receive(Self.started(0), 3)
        for step in 0...8 { receive(Self.step(step, of: 8, 1000), 3 + Double(step)) }
        receive(Self.decoded(0, of: 2), 12)
        receive(Self.decoded(1, of: 2), 13)
        receive(Self.finished(0), 14)
        receive(Self.started(1), 14)
        receive(Self.step(8, of: 8, 1000, index: 1), 22)
        #expect(
            lines == [
                "waiting for 2 requests before this one", "waiting for 1 request before this one",
                "loading the model", "picture 1 of 2: reading the prompt",
                "picture 1 of 2: step 2/8, 14 s left",
                "picture 1 of 2: step 4/8, 12 s left", "picture 1 of 2: step 6/8, 10 s left",
                "picture 1 of 2: step 8/8, 8 s left", "picture 1 of 2: finishing",
                "picture 2 of 2: reading the prompt", "picture 2 of 2: step 8/8, 3 s left",
            ])
    }

    @Test func timesAreReadable() {
        #expect(TimeText.precise(.milliseconds(423)) == "0.42 s")
        #expect(TimeText.precise(.milliseconds(9994)) == "9.99 s")
        #expect(TimeText.precise(.milliseconds(9996)) == "10.0 s")
        #expect(TimeText.precise(.seconds(125)) == "2 min 5 s")
        #expect(TimeText.whole(.seconds(3780)) == "1 h 3 min")
        #expect(TimeText.whole(.seconds(-5)) == "0 s")
        #expect(TimeText.whole(.milliseconds(59_700)) == "1 min 0 s")
    }
}
