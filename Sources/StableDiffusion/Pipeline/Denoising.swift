public import Tensors

/// The way from noise to a picture, one step at a time: the caller owns pace, previews and stop.
///
/// A value: a copy goes on by itself, from the same step and the same random numbers.
public struct Denoising: Sendable {
    /// How many steps there are in all.
    public let stepCount: Int
    /// Steps done.
    public private(set) var step = 0

    private let unet: UNet
    private let schedule: any Scheduler
    private let firstStep: Int
    private let guidanceScale: Float
    private let conditional: Branch
    /// For the negative prompt; nil without guidance.
    private let unconditional: Branch?
    private let original: Original?
    private let size: (height: Int, width: Int, channels: Int)
    /// Whether other prompts have the same first latents: not from start latents, each of which are used once.
    private let sharesStem: Bool

    /// What other renders may go on from: complete after the first step.
    public private(set) var reuse: RenderReuse
    /// Whether the first step cost nothing, since another render had taken it.
    public private(set) var knewFirstStep = false

    private var values: Latents
    private var history = SchedulerHistory()
    private var generator: TorchGenerator

    /// What the network is told of one prompt, at every step.
    private struct Branch: Sendable {
        let time: TimeEmbeddings
        let context: CrossAttentionContext
    }

    /// What is kept of a start picture outside of a mask.
    fileprivate struct Original: Sendable {
        let latents: Latents
        let noise: Latents
        /// For each latent pixel, 1 where it is painted anew and 0 where it is kept.
        let mask: [Float]
    }

    /// Draws the noise; with a start picture, encodes that first unless `picture` has it already.
    ///
    /// - Throws: `Interrupted` when the checkpoint does.
    public init(
        _ model: DiffusionModel, _ plan: RenderPlan, _ conditioning: Conditioning,
        picture: EncodedPicture? = nil, reusing known: RenderReuse = RenderReuse(), pass: Pass
    ) throws(Interrupted) {
        var reuse = known
        let parts = model.parts
        let factor = parts.factor
        size = (plan.height / factor, plan.width / factor, parts.latentChannels)
        unet = parts.network
        schedule = plan.schedule
        firstStep = plan.firstStep
        stepCount = plan.stepCount
        guidanceScale = Float(plan.guidanceScale)
        precondition(!plan.isGuided || conditioning.negative != nil, "a conditioning of the same plan")
        let negative = plan.isGuided ? conditioning.negative : nil
        let contexts: RenderReuse.Contexts
        if let known = reuse.contexts {
            contexts = known
        } else {
            contexts = try Self.contexts(conditioning, negative, unet, pass)
        }
        (conditional, unconditional) = try Self.branches(
            conditioning.prompt, negative, contexts, plan, unet, reuse.times, pass)
        reuse.contexts = contexts
        reuse.times = unet.configuration.added == nil ? [conditional.time] : []
        sharesStem = plan.startLatents == nil && unet.configuration.added == nil
        var start = picture
        if start == nil { start = try model.encodePicture(plan, pass) }
        var generator = TorchGenerator(seed: plan.seed)
        (values, original) = Self.begin(plan, start, size, parts, &generator, pass)
        self.generator = generator
        self.reuse = reuse
    }

    private static func contexts(
        _ conditioning: Conditioning, _ negative: PromptEmbedding?, _ unet: UNet, _ pass: Pass
    ) throws(Interrupted) -> RenderReuse.Contexts {
        let text = conditioning.prompt
        var prompt: CrossAttentionContext
        if let blank = conditioning.blank {
            prompt = try unet.context(text.context.prefix(text.length), pass).padded(by: blank.context, pass)
        } else {
            prompt = try unet.context(text.context, pass)
        }
        return RenderReuse.Contexts(
            prompt: prompt,
            negative: try negative.map { (text) throws(Interrupted) in
                try unet.context(text.context, pass)
            })
    }

    /// What the network is told at every step; the times are the same for every text, but with SDXL.
    private static func branches(
        _ prompt: PromptEmbedding, _ negative: PromptEmbedding?, _ contexts: RenderReuse.Contexts,
        _ plan: RenderPlan, _ unet: UNet, _ known: [TimeEmbeddings], _ pass: Pass
    ) throws(Interrupted) -> (Branch, Branch?) {
        // SDXL: original size, crop and target size, all those of the picture itself.
        let sides = [Float(plan.height), Float(plan.width)]
        func time(_ embedding: PromptEmbedding) throws(Interrupted) -> TimeEmbeddings {
            let added = embedding.pooled.map {
                UNet.AddedConditions(pooled: $0, timeIDs: sides + [0, 0] + sides)
            }
            return try unet.timeEmbeddings(
                plan.schedule.timesteps, guidanceScale: plan.guidanceScale, added: added, pass)
        }
        if unet.configuration.added != nil {
            let conditional = Branch(time: try time(prompt), context: contexts.prompt)
            guard let negative, let context = contexts.negative else { return (conditional, nil) }
            return (conditional, Branch(time: try time(negative), context: context))
        }
        let takesGuidance = unet.configuration.guidanceEmbeddingSize != nil
        let shared = known.last {
            $0.timesteps == plan.schedule.timesteps
                && $0.guidanceScale == (takesGuidance ? plan.guidanceScale : nil)
        }
        let all: TimeEmbeddings
        if let shared { all = shared } else { all = try time(prompt) }
        return (
            Branch(time: all, context: contexts.prompt),
            contexts.negative.map { Branch(time: all, context: $0) }
        )
    }

    /// The first latents: noise, or the start picture's or start latents with as much of it as the first step expects.
    ///
    /// Random numbers are drawn in the reference's order: for the start picture's latents, then the noise; with a mask,
    /// then those of the picture without what is painted anew, which only other networks look at.
    private static func begin(
        _ plan: RenderPlan, _ picture: EncodedPicture?, _ size: (height: Int, width: Int, channels: Int),
        _ parts: ModelParts, _ generator: inout TorchGenerator, _ pass: Pass
    ) -> (Latents, Original?) {
        func draw() -> Latents {
            Latents(generator.noise(height: size.height, width: size.width, channels: size.channels))
        }
        if let start = plan.startLatents {
            return (plan.schedule.addNoise(draw(), to: start.latents, at: plan.firstStep), nil)
        }
        guard let picture, let strength = plan.strength else {
            return (plan.schedule.initialScale * draw(), nil)
        }
        let scale = parts.latentScale
        let latents = Latents(scale.modelLatents(picture.latents(&generator), pass.operations))
        let noise = draw()
        var first = plan.schedule.addNoise(noise, to: latents, at: plan.firstStep)
        guard let mask = plan.mask else { return (first, nil) }
        if strength == 1 { first = plan.schedule.initialScale * noise }
        if case .distribution = picture.content { _ = draw() }
        return (
            first,
            Original(
                latents: latents, noise: noise,
                mask: mask.mask(
                    picture: (plan.width, plan.height), height: size.height, width: size.width))
        )
    }

    // MARK: - Steps

    /// The latents after `step` steps, `[h, w, C]`.
    public var latents: FeatureMap { map(values) }

    /// The same, as another render can start from them.
    public var startLatents: StartLatents { StartLatents(latents) }

    /// Takes one step and gives the model's estimate of the finished latents `[h, w, C]`, good enough for a preview; nil
    /// when all steps are done.
    ///
    /// - Throws: `Interrupted` when the checkpoint does; nothing has changed then, and the step can be taken again.
    public mutating func next(_ pass: Pass) throws(Interrupted) -> FeatureMap? {
        guard step < stepCount else { return nil }
        let index = firstStep + step
        try pass.checkpoint()
        let output = try output(at: index, pass)
        // Nothing throws from here on.
        var (history, generator) = (history, generator)
        var (next, denoised) = schedule.step(
            index, output: output, latents: values, history: &history
        ) {
            Latents(generator.noise(height: size.height, width: size.width, channels: size.channels))
        }
        if let original {
            let isLast = index + 1 == schedule.timesteps.count
            let kept =
                isLast
                ? original.latents
                : schedule.addNoise(original.noise, to: original.latents, at: index + 1)
            next = original.blended(next, over: kept, channels: size.channels)
            denoised = original.blended(denoised, over: original.latents, channels: size.channels)
        }
        (values, self.history, self.generator) = (next, history, generator)
        step += 1
        return map(denoised)
    }

    /// What the network says of the latents, which other renders of the prompts may have asked it at their first step.
    private mutating func output(at index: Int, _ pass: Pass) throws(Interrupted) -> Latents {
        let input = schedule.networkInput(values, at: index)
        guard step == 0 else { return try guided(map(input), at: index, pass) }
        let origin = FirstStep.Origin(
            height: size.height, width: size.width, latents: input, timestep: schedule.timesteps[index],
            guidanceScale: guidanceScale)
        if let known = reuse.firstStep, known.origin == origin {
            knewFirstStep = true
            return known.output
        }
        let output = try guided(map(input), at: index, pass)
        reuse.firstStep = FirstStep(origin: origin, output: output)
        return output
    }

    /// Runs the network; with guidance, goes away from what it says for the negative prompt (Ho and Salimans 2022,
    /// equation 6, with the scale 1 + w).
    private mutating func guided(
        _ input: FeatureMap, at index: Int, _ pass: Pass
    ) throws(Interrupted) -> Latents {
        let stem = try stem(of: input, at: index, pass)
        let positive = Latents(
            try unet(
                input, step: index, time: conditional.time, context: conditional.context, stem: stem, pass))
        guard let unconditional else { return positive }
        let negative = Latents(
            try unet(
                input, step: index, time: unconditional.time, context: unconditional.context,
                stem: unet.configuration.added == nil ? stem : nil, pass))
        return negative + guidanceScale * (positive - negative)
    }

    /// What both branches begin with, and at the first step every other prompt too.
    private mutating func stem(
        of input: FeatureMap, at index: Int, _ pass: Pass
    ) throws(Interrupted) -> Stem? {
        guard step == 0, sharesStem else {
            return try unet.stem(input, step: index, time: conditional.time, pass)
        }
        if let origin = unet.stemOrigin(input, step: index, time: conditional.time),
            let known = reuse.stems.last(where: { $0.origin == origin })
        {
            reuse.stems = [known]
            return known
        }
        let made = try unet.stem(input, step: index, time: conditional.time, pass)
        // Kept even if the step is interrupted, and taken again.
        reuse.stems = made.map { [$0] } ?? []
        return made
    }

    private func map(_ latents: Latents) -> FeatureMap {
        let pixels = Tensor(rows: size.height * size.width, columns: size.channels)
        _ = pixels.floats.update(fromContentsOf: latents.values)
        return FeatureMap(height: size.height, width: size.width, pixels: pixels)
    }
}

extension Denoising.Original {
    /// `latents` where the mask is 1 and `kept` where it is 0.
    fileprivate func blended(_ latents: Latents, over kept: Latents, channels: Int) -> Latents {
        Latents(
            latents.values.indices.map { index in
                let share = mask[index / channels]
                return (1 - share) * kept.values[index] + share * latents.values[index]
            })
    }
}

extension Latents {
    init(_ map: FeatureMap) {
        self.init(Array(map.pixels.floats))
        extendLifetime(map)
    }
}
