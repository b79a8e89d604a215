import AssistantAPI
import StableDiffusion

/// What is rendered for one text, one after the other: derived from what things take on this machine.
///
/// The last stage is the settled picture, as it was asked for. When that fits the budget, its own first step is shown
/// before it where that is there noticeably sooner; otherwise a draft goes before it that fits: of the largest size of
/// which the fewest useful steps do, with as many steps as do. Where the settled picture takes much longer than the
/// draft, a better stage lies between.
struct CanvasLadder: Sendable, Equatable {
    /// Smaller pictures show nothing.
    static let smallestSide = 128
    /// Of the budget, the rest of which is for waiting, stopping what runs, and the picture's file.
    static let renderShare = 0.6
    /// A first look that takes a larger part of the settled picture's time is none.
    static let firstLookShare = 0.75

    let stages: [CanvasStage]

    /// - Parameters:
    ///   - settled: The settled picture; its expectation is filled in.
    ///   - factor: Sizes are multiples of it.
    ///   - hasTinyDecoder: Whether the model has one.
    ///   - beginsAsOneStep: Whether a render in one step takes the settled picture's first step.
    ///   - budget: Milliseconds from a key to its first frame.
    ///   - times: What was measured.
    init(
        settled: CanvasStage, factor: Int, hasTinyDecoder: Bool, beginsAsOneStep: Bool, budget: Double,
        times: StageTimes
    ) {
        func timed(_ stage: CanvasStage) -> CanvasStage {
            var stage = stage
            stage.expected =
                times.expected(
                    width: stage.width, height: stage.height, steps: stage.steps, decoder: stage.decoder,
                    textPadding: stage.textPadding.flatMap(TextPadding.init) ?? .encoded)
                ?? stage.expected
            return stage
        }
        let settled = timed(settled)
        let limit = budget * Self.renderShare
        guard settled.expected > limit else {
            let look = timed(Self.firstLook(at: settled, hasTinyDecoder: hasTinyDecoder))
            let isSooner = look.expected <= settled.expected * Self.firstLookShare
            stages = (beginsAsOneStep && isSooner ? [look] : []) + [settled]
            return
        }
        let candidates = Self.candidates(below: settled, factor: factor, hasTinyDecoder: hasTinyDecoder).map(
            timed)
        let fastest = candidates.min { $0.expected < $1.expected }
        guard let draft = candidates.first(where: { $0.expected <= limit }) ?? fastest,
            draft.expected < settled.expected
        else {
            stages = [settled]
            return
        }
        let target = (draft.expected * settled.expected).squareRoot()
        let isFar = settled.expected > draft.expected * 4 && settled.expected > 1000
        var better = candidates.first {
            $0.expected <= target && $0.expected >= draft.expected * 2 && $0.pixels >= draft.pixels
        }
        better = better.map { stage in
            var stage = stage
            // Its text is encoded as a whole, as it is for the settled picture afterwards.
            (stage.name, stage.textPadding) = (.better, nil)
            return timed(stage)
        }
        stages = [draft] + (isFar ? [better].compactMap(\.self) : []) + [settled]
    }

    /// The settled picture after its first step, which is not taken again for it.
    private static func firstLook(at settled: CanvasStage, hasTinyDecoder: Bool) -> CanvasStage {
        var look = settled
        (look.name, look.steps) = (.draft, 1)
        if hasTinyDecoder { look.decoder = "tiny" }
        return look
    }

    /// What could go before the settled picture, the best first: the larger ones, and of each size those of more steps.
    ///
    /// Larger goes before more steps, since the noise of another size is another composition.
    private static func candidates(
        below settled: CanvasStage, factor: Int, hasTinyDecoder: Bool
    ) -> [CanvasStage] {
        let decoder = hasTinyDecoder ? "tiny" : settled.decoder
        let fewest = fewestSteps(of: settled.steps)
        return sizes(of: settled, factor: factor).flatMap { width, height in
            (fewest...settled.steps).reversed().map { steps in
                var stage = CanvasStage(
                    name: .draft, width: width, height: height, steps: steps, decoder: decoder, expected: 0)
                // Of the settled size the first step is the settled picture's too, whose text is encoded as a whole.
                if (width, height) != (settled.width, settled.height) {
                    stage.textPadding = TextPadding.blank.rawValue
                }
                return stage
            }
        }
    }

    /// Models that were made for few steps show something after one, others after a few.
    static func fewestSteps(of steps: Int) -> Int { steps <= 8 ? 1 : min(4, steps) }

    /// Parts of a side, in 64ths of it: each a half of the one before the last, down to where the largest picture is as small
    /// as is of use.
    private static let parts = [64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1]

    /// The settled size and parts of it, in its shape as far as whole latents allow.
    private static func sizes(of settled: CanvasStage, factor: Int) -> [(width: Int, height: Int)] {
        var sizes = [(width: settled.width, height: settled.height)]
        for part in parts.dropFirst() {
            func length(_ whole: Int) -> Int { max(1, whole * part / 64 / factor) * factor }
            let size = (width: length(settled.width), height: length(settled.height))
            guard min(size.width, size.height) >= smallestSide else { break }
            if !sizes.contains(where: { $0 == size }) { sizes.append(size) }
        }
        return sizes
    }

    /// The least that can be measured: one stage's smallest size and fewest steps.
    static func probe(settled: CanvasStage, factor: Int, hasTinyDecoder: Bool) -> CanvasStage {
        candidates(below: settled, factor: factor, hasTinyDecoder: hasTinyDecoder).last ?? settled
    }
}

extension CanvasStage {
    var pixels: Int { width * height }

    /// Whether both render the same.
    func isSame(as other: CanvasStage) -> Bool {
        (width, height, steps, decoder, textPadding)
            == (other.width, other.height, other.steps, other.decoder, other.textPadding)
    }
}
