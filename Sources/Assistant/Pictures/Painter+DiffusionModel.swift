import ImageCodecs
import StableDiffusion
import Synchronization
import Tensors

extension Painter {
    /// Paints with a real model, and remembers what its encoders made of the last prompts and the last start picture.
    init(_ model: DiffusionModel) {
        let memory = EncoderMemory(RenderMemory(weights: model.info.byteCount))
        // Not the model: what reads texts may outlive it.
        let reader = model.promptReader
        self.init(
            info: model.info,
            begin: { settings, limits in
                Self.sketch(try model.plan(settings, limits: limits), of: model, memory)
            },
            read: { reader.tokens(of: $0) },
            distance: { first, second, pass in
                let conditionings = try [first, second].map { settings in
                    let plan = try model.plan(settings)
                    var reuse = memory.reuse(for: plan)
                    defer { memory.keep(reuse, of: plan) }
                    return try model.encodePrompt(plan, reusing: &reuse, pass)
                }
                return conditionings[0].distance(to: conditionings[1])
            },
            keptBytes: { memory.byteCount }, forget: { memory.forget() })
    }

    private static func sketch(
        _ plan: RenderPlan, of model: DiffusionModel, _ memory: EncoderMemory
    ) -> Sketch {
        var denoising: Denoising?
        var estimate: FeatureMap?
        return Sketch(
            outline: PictureOutline(plan),
            prepare: { pass in
                var reuse = memory.reuse(for: plan)
                defer { memory.keep(denoising?.reuse ?? reuse, of: plan) }
                let conditioning = try model.encodePrompt(plan, reusing: &reuse, pass)
                let picture = try memory.picture(for: plan) { try model.encodePicture(plan, pass) }
                denoising = try Denoising(
                    model, plan, conditioning, picture: picture, reusing: reuse, pass: pass)
            },
            step: { pass in
                // Also of a step that is stopped, since what is typed next begins as it did.
                let isFirst = denoising?.step == 0
                defer { if isFirst, let denoising { memory.keep(denoising.reuse, of: plan) } }
                estimate = try denoising?.next(pass)
                return denoising.map { $0.step < $0.stepCount } ?? false
            },
            preview: { pass in
                guard let estimate else { throw Interrupted() }
                return try model.preview(estimate, pass)
            },
            decode: { pass in
                guard let denoising else { throw Interrupted() }
                return try model.decode(denoising.latents, with: plan.decoder, pass)
            },
            latents: { denoising?.startLatents },
            knewFirstStep: { denoising?.knewFirstStep ?? false })
    }
}

extension PictureOutline {
    init(_ plan: RenderPlan) {
        self.init(
            width: plan.width, height: plan.height, steps: plan.steps, stepCount: plan.stepCount,
            seed: plan.seed, scheduler: plan.scheduler.rawValue, guidanceScale: plan.guidanceScale,
            decoder: plan.decoder.rawValue, clipSkip: plan.clipSkip, strength: plan.strength,
            negativePrompt: plan.negativePrompt, promptTokens: plan.promptTokens, warnings: plan.warnings,
            memory: plan.memory, tokens: plan.tokens.ids, beginsAsOneStep: plan.beginsAsOneStep)
    }
}

/// What a model's last renders left for the next ones, and what its encoder made of the last start picture.
///
/// It is asked and told only between parts of the work, since one picture may be painted while another rests at a
/// checkpoint.
private final class EncoderMemory: Sendable {
    private struct Start {
        var bitmap: Bitmap
        var width: Int
        var height: Int
        var encoded: EncodedPicture

        var byteCount: Int { bitmap.samples.count + encoded.byteCount }
    }

    private struct State {
        var renders: RenderMemory
        var start: Start?
    }

    private let empty: RenderMemory
    private let state: Mutex<State>

    init(_ empty: RenderMemory) {
        self.empty = empty
        state = Mutex(State(renders: empty))
    }

    var byteCount: Int { state.withLock { $0.renders.byteCount + ($0.start?.byteCount ?? 0) } }

    func forget() { state.withLock { $0 = State(renders: empty) } }

    func reuse(for plan: RenderPlan) -> RenderReuse { state.withLock { $0.renders.reuse(for: plan) } }

    func keep(_ reuse: RenderReuse, of plan: RenderPlan) {
        state.withLock { $0.renders.keep(reuse, of: plan) }
    }

    func picture(for plan: RenderPlan, _ make: () throws -> EncodedPicture?) throws -> EncodedPicture? {
        guard let bitmap = plan.initImage else { return nil }
        let known = state.withLock { state -> EncodedPicture? in
            guard let start = state.start, start.width == plan.width, start.height == plan.height,
                start.bitmap == bitmap
            else { return nil }
            return start.encoded
        }
        if let known { return known }
        let made = try make()
        state.withLock { state in
            state.start = made.map {
                Start(bitmap: bitmap, width: plan.width, height: plan.height, encoded: $0)
            }
        }
        return made
    }
}
