import AssistantAPI
import Testing

@testable import Assistant

@Suite struct CanvasStateTests {
    @Test func aPastedTextIsRenderedAtOnceAndThenBetter() {
        var play = TypingPlay(costs: [200, 900])
        play.type("a red fox")
        #expect(play.started == 1)
        play.wait(5000)
        #expect(play.frames.map(\.stage) == [0, 1])
        #expect(play.frames[0].at == .milliseconds(200))
        #expect(play.settled == [1])
        #expect(play.machine.deadline(after: play.now) == nil)
    }

    @Test func aFinishedWordIsRenderedAtOnceAndAHalfOneWaits() {
        var play = TypingPlay(costs: [200, 900])
        play.type(letters: "fox", gap: 0)
        play.wait(1)
        #expect(play.started == 0)
        play.type("fox,")
        #expect(play.started == 1 && play.machine.run?.text == "fox,")
    }

    @Test func aSpaceBehindAWordEndsItsWaitingAndChangesNothingElse() {
        var play = TypingPlay(costs: [300, 900])
        play.type("f")
        play.wait(20)
        #expect(play.started == 0)
        play.type("f ")
        #expect(play.started == 1)
        play.wait(100)
        // Another space has the same tokens: what runs goes on, for the newest revision.
        play.type("f  ")
        play.wait(300)
        #expect(play.started >= 1 && play.stopped == 0 && play.frames.first?.text == "f ")
        #expect(play.frames.count == 1)
        play.wait(5000)
        #expect(play.frames.map(\.stage) == [0, 1] && play.settled == [3])
        play.type("f   ")
        play.wait(5000)
        #expect(play.started == 2 && play.settled == [3, 4])
    }

    @Test func aHalfWordWaitsAsItsFrameCostsAndAsThePersonTypes() {
        let policy = CanvasPolicy()
        func quiet(_ cost: Int, _ gap: Int) -> Duration {
            policy.quietPeriod(cost: .milliseconds(cost), gap: .milliseconds(gap))
        }
        // A cheap frame is ready before the next key.
        #expect(quiet(40, 170) == .zero && quiet(85, 170) == .zero)
        #expect(quiet(150, 170) == .milliseconds(65))
        // Not longer than shows a pause, nor than the cap.
        #expect(quiet(900, 50) == .microseconds(62_500))
        #expect(quiet(900, 300) == .milliseconds(80))
        var slow = TypingPlay(costs: [150, 900])
        var fast = TypingPlay(costs: [150, 900])
        slow.type(letters: "abcdefghijklmnop", gap: 250)
        fast.type(letters: "abcdefghijklmnop", gap: 80)
        #expect(slow.machine.rhythm.gap > .milliseconds(220))
        #expect(fast.machine.rhythm.gap < .milliseconds(105))
        // The slow typist sees a frame for every key, the fast one for a few of them.
        #expect(slow.started > fast.started)
        #expect(slow.texts.contains("abc") && slow.stopped == 0)
    }

    @Test func pausesAndFloodsDoNotSetThePace() {
        var rhythm = TypingRhythm()
        for second in 0..<20 { rhythm.key(at: .seconds(second * 2)) }
        #expect(rhythm.gap == TypingRhythm.assumed)
        for key in 0..<10_000 { rhythm.key(at: .seconds(100) + .microseconds(100 * key)) }
        #expect(rhythm.gap == TypingRhythm.shortest || rhythm.gap - TypingRhythm.shortest < .milliseconds(1))
    }

    @Test func nothingWaitsLongerThanTheCap() {
        var play = TypingPlay(costs: [250, 900])
        // A single endless word, typed too fast for the quiet period ever to pass.
        play.type(letters: String(repeating: "x", count: 9), gap: 60)
        #expect(play.started == 1)
        #expect((play.machine.run?.began ?? .zero) <= play.machine.policy.cap)
    }

    @Test func aNewerTextThatIsDueStopsADraftThatHasLongToGo() {
        var play = TypingPlay(costs: [400, 2000])
        play.type("a fox ")
        play.wait(100)
        play.type("a fox sits ")
        #expect(play.stopped == 1)
        play.wait(20)
        #expect(play.started == 2 && play.machine.run?.text == "a fox sits ")
        #expect(play.frames.isEmpty)
    }

    @Test func aCheapDraftIsMadeAnewRatherThanWaitedFor() {
        var play = TypingPlay(costs: [40, 60], stopTime: 2)
        play.type("a fox ")
        play.wait(26)
        play.type("a fox s ")
        #expect(play.stopped == 1)
        play.wait(2)
        #expect(play.started == 2 && play.machine.run?.text == "a fox s ")
    }

    @Test func aFrameOfWholeWordsIsLeftInPeaceSoonerThanOneOfHalfAWord() {
        for (text, stopped) in [("a ", 0), ("a", 1)] {
            var play = TypingPlay(costs: [800, 2000])
            play.type(text)
            play.wait(700)
            #expect(play.machine.run?.text == text)
            play.type("a fox sits ")
            #expect(play.stopped == stopped)
        }
    }

    @Test func aDraftThatIsNearlyDoneIsShown() {
        var play = TypingPlay(costs: [400, 2000])
        play.type("a fox ")
        play.wait(360)
        play.type("a fox sits ")
        #expect(play.stopped == 0)
        play.wait(40)
        #expect(play.texts == ["a fox "] && play.machine.run?.text == "a fox sits ")
    }

    @Test func aBetterStageIsStoppedByAnyNewText() {
        var play = TypingPlay(costs: [100, 2000])
        play.type("a fox ")
        play.wait(900)
        #expect(play.machine.run?.stage == 1)
        // A half word is not due yet, but a better picture of the text before is of no use.
        play.type("a fox s")
        #expect(play.stopped == 1)
    }

    @Test(arguments: [60, 110, 170, 300], [80, 250, 700, 3000])
    func whoTypesOnSeesFramesAllTheTime(gap: Int, cost: Int) {
        var play = TypingPlay(costs: [cost, cost * 5])
        let words = (0..<60).map { _ in "word " }.joined()
        play.type(letters: words, gap: gap)
        let policy = play.machine.policy
        let period = policy.framePeriod(cost: .milliseconds(cost)) + policy.cap + .milliseconds(cost)
        var last = Duration.zero
        for frame in play.frames {
            #expect(frame.at - last <= period, "\(gap) \(cost) \(frame.at)")
            last = frame.at
        }
        #expect(play.now - last <= period)
        play.wait(60_000)
        #expect(play.frames.last.map { TypingPlay.signature($0.text) } == TypingPlay.signature(words))
        #expect(play.frames.last?.stage == 1)
    }

    @Test(arguments: [1, 5])
    func rendersThatTakeLongerThanExpectedStarveNobody(slowness: Int) {
        // An answer that streams takes four fifths of the machine: everything takes five times as long.
        var play = TypingPlay(costs: [200, 800], slowness: slowness)
        play.type(letters: String(repeating: "some words ", count: 20), gap: 110)
        var last = Duration.zero
        for frame in play.frames {
            let period = play.machine.policy.framePeriod
            #expect(frame.at - last <= period + .milliseconds(400 + 2 * 200 * slowness))
            last = frame.at
        }
        #expect(play.frames.count >= 3)
        play.wait(20_000)
        #expect(play.frames.last?.stage == 1)
    }

    @Test func theLastTextIsAlwaysRendered() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<300 {
            let cost = [5, 60, 200, 900][random.next(4)]
            var play = TypingPlay(costs: random.next(2) == 0 ? [cost] : [cost, cost * 4])
            var text = ""
            for _ in 0..<(1 + random.next(40)) {
                switch random.next(8) {
                case 0: text = String(text.dropLast(1 + random.next(3)))
                case 1: text += " "
                case 2: text = String("pq".randomElement(using: &random) ?? "p") + text
                default: text += String("abcdefg".randomElement(using: &random) ?? "a")
                }
                play.type(text)
                play.wait([0, 1, 30, 90, 200, 1500][random.next(6)])
            }
            play.wait(30_000)
            #expect(play.machine.deadline(after: play.now) == nil && play.machine.run == nil)
            guard !text.allSatisfy({ $0 == " " }) else { continue }
            #expect(play.frames.last.map { TypingPlay.signature($0.text) } == TypingPlay.signature(text))
            #expect(play.frames.last?.stage == play.machine.costs.count - 1)
        }
    }

    @Test func aFloodStartsFewRenders() {
        for letter in ["x", " x", "x "] {
            var play = TypingPlay(costs: [80, 300])
            var text = ""
            // 10,000 changes a second for two seconds.
            for _ in 0..<2000 {
                for _ in 0..<10 {
                    text += letter
                    if text.count > 200 { text = "" }
                    play.type(text + "q")
                }
                play.wait(1)
            }
            #expect(play.started <= 2 + 2000 / 25)
            play.wait(10_000)
            #expect(play.frames.last?.text == text + "q")
            #expect(play.machine.skipped > 15_000)
        }
    }

    @Test func aPictureThatIsStillToBeSeenIsNotRenderedAgain() {
        var play = TypingPlay(costs: [100, 400])
        play.type("a fox")
        play.wait(3000)
        play.type("a foxy ")
        play.wait(30)
        play.type("a fox")
        #expect(play.stopped == 1)
        play.wait(3000)
        #expect(play.texts == ["a fox", "a fox"] && play.settled == [1, 3])
    }

    @Test func anEmptyTextStopsEverythingAndSettles() {
        var play = TypingPlay(costs: [400, 900])
        play.type("a fox ")
        play.wait(100)
        play.type("  ")
        #expect(play.stopped == 1)
        play.wait(1000)
        #expect(play.settled == [2] && play.frames.isEmpty && play.machine.deadline(after: play.now) == nil)
    }

    @Test func olderRevisionsAreIgnored() {
        var machine = CanvasState()
        machine.setCosts([.milliseconds(10)])
        machine.typed(.init(text: "new", revision: 5), signature: [1], isEmpty: false, at: .zero)
        machine.typed(.init(text: "old", revision: 5), signature: [2], isEmpty: false, at: .zero)
        machine.typed(.init(text: "older", revision: 3), signature: [3], isEmpty: false, at: .zero)
        #expect(machine.prompt == Canvas.Prompt(text: "new", revision: 5))
    }

    @Test func beforeTheModelIsMeasuredTextsWait() {
        var machine = CanvasState()
        machine.typed(.init(text: "one ", revision: 1), signature: [1], isEmpty: false, at: .zero)
        #expect(machine.action(at: .seconds(1)) == nil && machine.deadline(after: .seconds(1)) == nil)
        machine.setCosts([.milliseconds(10)])
        guard case .render(let run) = machine.action(at: .seconds(2)) else {
            Issue.record("the text was forgotten")
            return
        }
        #expect(run.keyed == .zero)
    }
}
