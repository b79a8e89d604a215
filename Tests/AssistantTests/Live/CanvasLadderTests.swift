import AssistantAPI
import StableDiffusion
import Testing

@testable import Assistant

@Suite struct CanvasLadderTests {
    private func settled(_ width: Int, _ height: Int, steps: Int, decoder: String = "full") -> CanvasStage {
        CanvasStage(
            name: .settled, width: width, height: height, steps: steps, decoder: decoder, expected: 0)
    }

    private func times(step: Double, at side: Int, decode: Double = 20) -> StageTimes {
        var times = StageTimes()
        times.add(
            .init(width: side, height: side, decoder: "tiny", encode: 10, steps: [step], decode: decode))
        return times
    }

    private func stages(
        _ settled: CanvasStage, _ times: StageTimes, budget: Double = 300, tiny: Bool = true,
        beginsAsOneStep: Bool = false
    ) -> [CanvasStage] {
        CanvasLadder(
            settled: settled, factor: 8, hasTinyDecoder: tiny, beginsAsOneStep: beginsAsOneStep,
            budget: budget,
            times: times
        ).stages
    }

    @Test func aSettledPictureThatFitsTheBudgetIsTheOnlyStage() {
        let stages = stages(settled(128, 128, steps: 4, decoder: "tiny"), times(step: 20, at: 128))
        #expect(stages.map(\.name) == [.settled])
        #expect(stages[0].expected == 110.0)
    }

    @Test func aSettledPictureThatFitsShowsItsFirstStepWhereThatIsSooner() {
        let many = settled(128, 128, steps: 4, decoder: "tiny")
        let shared = stages(many, times(step: 20, at: 128), beginsAsOneStep: true)
        #expect(shared.map(\.name) == [.draft, .settled])
        #expect(shared[0].steps == 1 && shared[0].width == 128 && shared[0].expected == 50)
        // Where most of the time goes elsewhere, a picture of its own is not worth it.
        let quick = stages(many, times(step: 2, at: 128), beginsAsOneStep: true)
        #expect(quick.map(\.name) == [.settled])
        let single = stages(
            settled(128, 128, steps: 1, decoder: "tiny"), times(step: 20, at: 128), beginsAsOneStep: true)
        #expect(single.map(\.name) == [.settled])
    }

    @Test func aDraftOfTheSameSizeIsBetterThanASmallerOneOfMoreSteps() {
        let stages = stages(settled(128, 128, steps: 4, decoder: "tiny"), times(step: 60, at: 128))
        #expect(stages.map(\.name) == [.draft, .settled])
        #expect(stages[0].width == 128 && stages[0].steps == 2)
    }

    @Test func theDraftIsAsLargeAsTheBudgetAllowsAndNotBelow128() {
        // At 512 pixels a step takes 16 times as long as at 128.
        let small = stages(settled(512, 512, steps: 4), times(step: 50, at: 128))
        #expect(small.first.map { ($0.width, $0.height, $0.steps) } ?? (0, 0, 0) == (192, 192, 1))
        #expect(small.first?.decoder == "tiny" && small.last?.decoder == "full")
        let large = stages(settled(512, 512, steps: 4), times(step: 50, at: 128), budget: 2000)
        #expect(large.first.map { ($0.width, $0.steps) } ?? (0, 0) == (512, 1))
        // No size fits: the fastest there is.
        let slow = stages(settled(512, 512, steps: 4), times(step: 900, at: 128))
        #expect(slow.first.map { ($0.width, $0.steps) } ?? (0, 0) == (128, 1))
        #expect(slow.map(\.name) == [.draft, .better, .settled])
        #expect(zip(slow, slow.dropFirst()).allSatisfy { $0.expected * 2 <= $1.expected })
    }

    @Test(arguments: [(1024, 1024), (2048, 2048), (1536, 1024), (4096, 4096)])
    func largePicturesHaveSmallDraftsTooAndSoIsMeasured(width: Int, height: Int) {
        let settled = settled(width, height, steps: 4)
        let draft = stages(settled, times(step: 900, at: 128)).first
        let probe = CanvasLadder.probe(settled: settled, factor: 8, hasTinyDecoder: true)
        for stage in [draft, probe].compactMap(\.self) {
            #expect(stage.height == 128 && stage.width == 128 * width / height && stage.steps == 1)
        }
        // What is between them is tried as well.
        let quick = stages(settled, times(step: 30, at: 128)).first?.height ?? 0
        #expect(quick == 192)
    }

    @Test func sidesThatAreNoMultiplesKeepToWholeLatents() {
        let probe = CanvasLadder.probe(
            settled: settled(1000, 1400, steps: 4), factor: 8, hasTinyDecoder: true)
        // An eighth would be 120 pixels.
        #expect(probe.width == 184 && probe.height == 256)
    }

    @Test func onlySmallerDraftsHaveBlankPadding() {
        // A settled picture goes on from the first step of one of its own size.
        let same = stages(settled(128, 128, steps: 4, decoder: "tiny"), times(step: 60, at: 128))
        #expect(same.map(\.textPadding) == [nil, nil])
        let three = stages(settled(512, 512, steps: 4), times(step: 900, at: 128))
        #expect(three.map(\.textPadding) == ["blank", nil, nil])
    }

    @Test func aDraftsOwnTokensAreMeasuredApartFromThoseWithPadding() {
        var times = times(step: 50, at: 128)
        func expected(_ padding: TextPadding) -> Double? {
            times.expected(width: 128, height: 128, steps: 1, decoder: "tiny", textPadding: padding)
        }
        #expect(expected(.encoded) == 80 && expected(.blank) == 72.5)
        times.add(
            .init(
                width: 128, height: 128, decoder: "tiny", textPadding: .blank, encode: 1, steps: [50],
                decode: 20))
        #expect(expected(.encoded) == 80 && expected(.blank) == 71)
    }

    @Test func modelsOfManyStepsGetNoDraftOfOne() {
        let stages = stages(settled(512, 512, steps: 20), times(step: 400, at: 128))
        #expect(stages.first.map { ($0.width, $0.steps) } ?? (0, 0) == (128, 4))
    }

    @Test func sizesKeepTheShapeInWholeLatents() throws {
        let stages = stages(settled(768, 512, steps: 4), times(step: 120, at: 128))
        let draft = try #require(stages.first)
        #expect(draft.width % 8 == 0 && draft.height % 8 == 0 && min(draft.width, draft.height) >= 128)
        #expect(abs(Double(draft.width) / Double(draft.height) - 1.5) < 0.05)
    }

    @Test func whatIsNotMeasuredIsConcludedFromTheNearestSize() {
        var times = times(step: 10, at: 128)
        times.add(
            .init(width: 512, height: 512, decoder: "full", encode: 10, steps: [400, 400], decode: 900))
        #expect(times.expected(width: 512, height: 512, steps: 2, decoder: "full") == 1710.0)
        // 384 is nearer to 512.
        #expect(times.expected(width: 384, height: 384, steps: 1, decoder: "full") == 741.25)
        #expect(times.expected(width: 128, height: 128, steps: 1, decoder: "tiny") == 40)
        #expect(StageTimes().expected(width: 128, height: 128, steps: 1, decoder: "tiny") == nil)
    }

    @Test func aSlowMomentChangesLittle() {
        var times = times(step: 100, at: 128)
        times.add(.init(width: 128, height: 128, decoder: "tiny", encode: 10, steps: [900], decode: 20))
        #expect(times.expected(width: 128, height: 128, steps: 1, decoder: "tiny") == 230)
        times.add(.init(width: 128, height: 128, decoder: "tiny", encode: 10, steps: [100], decode: 20))
        #expect(times.expected(width: 128, height: 128, steps: 1, decoder: "tiny") == 180)
    }

    @Test func warmLevelsLeaveExactlyTheirSteps() {
        for steps in 1...50 {
            for count in 1...steps {
                let level = WarmStart.level(taking: count, of: steps)
                #expect(Int(Double(steps) * level) == count && level <= 1)
            }
        }
    }
}
