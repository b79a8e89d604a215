import ImageCodecs
import StableDiffusion
import Synchronization
import Tensors

extension Painter {
    /// Paints with a real model, and remembers what its encoders made of the last prompts and the last start picture.
    init(_ model: DiffusionModel) {
        let memory = EncoderMemory()
        self.init(
            info: model.info,
            begin: { settings, limits in
                Self.sketch(try model.plan(settings, limits: limits), of: model, memory)
            },
            distance: { first, second, pass in
                let conditionings = try [first, second].map { settings in
                    let plan = try model.plan(settings)
                    return try memory.conditioning(for: plan) { try model.encodePrompt(plan, pass) }
                }
                return conditionings[0].distance(to: conditionings[1])
            })
    }

    private static func sketch(
        _ plan: RenderPlan, of model: DiffusionModel, _ memory: EncoderMemory
    ) -> Sketch {
        var denoising: Denoising?
        var estimate: FeatureMap?
        return Sketch(
            outline: PictureOutline(plan),
            prepare: { pass in
                let conditioning = try memory.conditioning(for: plan) { try model.encodePrompt(plan, pass) }
                let picture = try memory.picture(for: plan) { try model.encodePicture(plan, pass) }
                denoising = try Denoising(model, plan, conditioning, picture: picture, pass: pass)
            },
            step: { pass in
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
            latents: { denoising?.startLatents })
    }
}

extension PictureOutline {
    init(_ plan: RenderPlan) {
        self.init(
            width: plan.width, height: plan.height, steps: plan.steps, stepCount: plan.stepCount,
            seed: plan.seed, scheduler: plan.scheduler.rawValue, guidanceScale: plan.guidanceScale,
            decoder: plan.decoder.rawValue, clipSkip: plan.clipSkip, strength: plan.strength,
            negativePrompt: plan.negativePrompt, promptTokens: plan.promptTokens, warnings: plan.warnings,
            tokens: plan.tokens.ids)
    }
}

/// What a model's encoders made of the last prompts and of the last start picture.
private final class EncoderMemory: Sendable {
    /// All that the text encoders' output depends on.
    private struct PromptKey: Hashable {
        var tokens: PromptTokens
        var clipSkip: Int

        init(_ plan: RenderPlan) { (tokens, clipSkip) = (plan.tokens, plan.clipSkip) }
    }

    private struct Start {
        var bitmap: Bitmap
        var width: Int
        var height: Int
        var encoded: EncodedPicture
    }

    private struct State {
        // Some megabyte each for the largest models.
        var prompts = RecentValues<PromptKey, Conditioning>(limit: 32)
        var start: Start?
    }

    private let state = Mutex(State())

    func conditioning(for plan: RenderPlan, _ make: () throws -> Conditioning) throws -> Conditioning {
        let key = PromptKey(plan)
        if let known = state.withLock({ $0.prompts[key] }) { return known }
        let made = try make()
        state.withLock { $0.prompts[key] = made }
        return made
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
