import AssistantAPI
import Testing

@testable import Assistant

/// How the state machine goes from stage to stage of one text.
@Suite struct CanvasStagesTests {
    /// The render that the machine asks for.
    private func render(_ machine: inout CanvasState, at now: Duration) throws -> CanvasState.Run {
        let action = machine.action(at: now)
        guard case .render(let run)? = action else { throw NoSuchEvent(name: "render") }
        return run
    }

    @Test func whatFailedIsNotRepeatedButTheNextStageAndTheNextTextAreRendered() throws {
        var machine = CanvasState()
        machine.setCosts([.milliseconds(10), .milliseconds(20)])
        machine.typed(.init(text: "one ", revision: 1), signature: [1], isEmpty: false, at: .zero)
        let draft = try render(&machine, at: .zero)
        machine.ended(draft.id, .failed, at: .milliseconds(5))
        let settled = try render(&machine, at: .milliseconds(5))
        #expect(draft.stage == 0 && settled.stage == 1)
        machine.ended(settled.id, .failed, at: .milliseconds(9))
        #expect(machine.action(at: .milliseconds(9)) == .settle(revision: 1, isEmpty: false))
        #expect(machine.action(at: .seconds(9)) == nil && machine.deadline(after: .seconds(9)) == nil)
        machine.typed(
            .init(text: "one two ", revision: 2), signature: [1, 2], isEmpty: false, at: .seconds(9))
        let next = try render(&machine, at: .seconds(9))
        #expect(next.text == "one two ")
    }

    @Test(arguments: [[10], [10, 20, 30]])
    func whatIsSettledStaysSoWhateverTheStagesAre(costs: [Int]) throws {
        var machine = CanvasState()
        machine.setCosts([.milliseconds(10), .milliseconds(20)])
        machine.typed(.init(text: "one ", revision: 1), signature: [1], isEmpty: false, at: .zero)
        for second in 0..<2 {
            let run = try render(&machine, at: .seconds(second))
            #expect(run.stage == second && run.isLast == (second == 1))
            machine.ended(run.id, .shown, at: .seconds(second))
        }
        #expect(machine.action(at: .seconds(2)) == .settle(revision: 1, isEmpty: false))
        machine.setCosts(costs.map { .milliseconds($0) })
        #expect(machine.action(at: .seconds(9)) == nil && machine.deadline(after: .seconds(9)) == nil)
        // And a draft is none, however few stages are left.
        machine.typed(.init(text: "two ", revision: 2), signature: [2], isEmpty: false, at: .seconds(9))
        machine.setCosts([.milliseconds(10), .milliseconds(20), .milliseconds(30)])
        for _ in 0..<2 {
            let run = try render(&machine, at: .seconds(12))
            machine.ended(run.id, .shown, at: .seconds(12))
        }
        machine.setCosts([.milliseconds(10), .milliseconds(20)])
        let last = try render(&machine, at: .seconds(15))
        #expect(last.stage == 1 && last.isLast)
    }

    /// A text with a draft, whose better stage has begun after a second.
    private func bettering() throws -> (CanvasState, CanvasState.Run) {
        var machine = CanvasState()
        machine.setCosts([.milliseconds(100), .milliseconds(1000), .milliseconds(4000)])
        machine.typed(.init(text: "one ", revision: 1), signature: [1], isEmpty: false, at: .zero)
        let draft = try render(&machine, at: .zero)
        machine.ended(draft.id, .shown, at: .milliseconds(100))
        let better = try render(&machine, at: .seconds(1))
        #expect(better.stage == 1 && !machine.isSettling)
        return (machine, better)
    }

    @Test func aPictureThatIsToBeKeptStopsABetterStage() throws {
        var (machine, better) = try bettering()
        let kept = machine.settledRun(at: .milliseconds(1200))
        machine.keeps(kept)
        let action = machine.action(at: .milliseconds(1200))
        guard case .stop(let stopped)? = action else { throw NoSuchEvent(name: "stop") }
        #expect(stopped.id == better.id)
        machine.ended(better.id, .stopped, at: .milliseconds(1210))
        #expect(machine.action(at: .seconds(3)) == nil && machine.deadline(after: .seconds(3)) == nil)
        // Without that picture it is begun again; with it, nothing is left to do.
        var failed = machine
        failed.kept(kept, isShown: false)
        let again = try render(&failed, at: .seconds(4))
        #expect(again.stage == 1)
        machine.kept(kept, isShown: true)
        #expect(machine.action(at: .seconds(4)) == .settle(revision: 1, isEmpty: false))
    }

    @Test func aBetterStageThatIsNearlyDoneIsNotStoppedForIt() throws {
        var (machine, better) = try bettering()
        machine.keeps(machine.settledRun(at: .milliseconds(1960)))
        #expect(machine.action(at: .milliseconds(1960)) == nil)
        machine.ended(better.id, .shown, at: .seconds(2))
        #expect(machine.action(at: .seconds(3)) == nil && machine.deadline(after: .seconds(3)) == nil)
    }

    @Test func whatEndsByItselfWithoutAFrameIsNotBegunForEver() throws {
        var machine = CanvasState()
        machine.setCosts([.milliseconds(10), .milliseconds(20)])
        machine.typed(.init(text: "one ", revision: 1), signature: [1], isEmpty: false, at: .zero)
        for stage in 0..<2 {
            let run = try render(&machine, at: .seconds(stage))
            #expect(run.stage == stage)
            machine.ended(run.id, .stopped, at: .seconds(stage))
        }
        #expect(machine.action(at: .seconds(2)) == .settle(revision: 1, isEmpty: false))
        #expect(machine.action(at: .seconds(9)) == nil)
    }
}
