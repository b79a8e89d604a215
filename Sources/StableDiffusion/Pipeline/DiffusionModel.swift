public import ImageCodecs
public import Tensors

/// A latent diffusion model: text encoders, network, autoencoder and noise schedule; immutable.
///
/// For example:
/// ```swift
/// let model = try DiffusionModel.load(path, operations: operations)
/// let plan = try model.plan(RenderSettings(prompt: "a fox", seed: 42))
/// let pass = Pass(operations: operations)
/// let conditioning = try model.encodePrompt(plan, pass)
/// var denoising = try Denoising(model, plan, conditioning, pass: pass)
/// while let denoised = try denoising.next(pass) { show(try model.preview(denoised, pass)) }
/// let picture = try model.decode(denoising.latents, with: plan.decoder, pass)
/// ```
public struct DiffusionModel: Sendable {
    public let info: DiffusionModelInfo
    let parts: ModelParts

    /// What the text encoders make of the plan's prompts.
    ///
    /// - Throws: `Interrupted` when the checkpoint does.
    public func encodePrompt(_ plan: RenderPlan, _ pass: Pass) throws(Interrupted) -> Conditioning {
        var reuse = RenderReuse()
        return try encodePrompt(plan, reusing: &reuse, pass)
    }

    /// The same, to the last bit, with the help of earlier ones; it becomes part of `reuse`.
    ///
    /// - Throws: `Interrupted` when the checkpoint does.
    public func encodePrompt(
        _ plan: RenderPlan, reusing reuse: inout RenderReuse, _ pass: Pass
    ) throws(Interrupted) -> Conditioning {
        if let known = reuse.conditioning { return known }
        var blank: BlankText?
        var tokens = plan.tokens.prompt
        if plan.textPadding == .blank {
            if let known = reuse.blank { blank = known } else { blank = try self.blank(plan.clipSkip, pass) }
            let length = tokens.reduce(0) { max($0, $1.length) }
            tokens = tokens.map { $0.prefix(length) }
        }
        reuse.blank = blank
        var prompt = try parts.encode(
            tokens, skippedLayers: plan.clipSkip, states: &reuse.texts, pass)
        if let blank { prompt = prompt.padded(by: blank.embedding, pass) }
        let made = Conditioning(
            prompt: prompt, negative: try negative(plan, prompt, reuse.negative, pass), blank: blank)
        reuse.conditioning = made
        return made
    }

    private func blank(_ clipSkip: Int, _ pass: Pass) throws(Interrupted) -> BlankText {
        var states: [TextStates?] = []
        let embedding = try parts.encode(
            parts.tokens(""), skippedLayers: clipSkip, states: &states, pass)
        return BlankText(
            clipSkip: clipSkip, embedding: embedding,
            context: try parts.network.context(embedding.context, pass))
    }

    private func negative(
        _ plan: RenderPlan, _ prompt: PromptEmbedding, _ known: PromptEmbedding?, _ pass: Pass
    ) throws(Interrupted) -> PromptEmbedding? {
        guard let tokens = plan.tokens.negative else { return nil }
        if plan.tokens.lacksNegative && parts.zeroesEmptyPrompt { return prompt.zeros }
        if let known { return known }
        // As the reference has it, layers are left out for the prompt only.
        var states: [TextStates?] = []
        return try parts.encode(tokens, skippedLayers: 0, states: &states, pass)
    }

    /// What the encoder makes of the plan's start picture; nil without one.
    ///
    /// - Throws: `Interrupted` when the checkpoint does.
    public func encodePicture(_ plan: RenderPlan, _ pass: Pass) throws(Interrupted) -> EncodedPicture? {
        guard let picture = plan.initImage else { return nil }
        let sized = picture.withoutAlpha().resized(width: plan.width, height: plan.height)
        try pass.checkpoint()
        return try parts.encode(sized.map(), pass)
    }

    /// The picture of `latents` `[h, w, C]`, which are left as they are.
    ///
    /// - Throws: `StableDiffusionError.invalidNumbers` for latents that aren't finite; `Interrupted` when the checkpoint
    ///   does.
    public func decode(_ latents: FeatureMap, with decoder: DecoderKind, _ pass: Pass) throws -> Bitmap {
        guard latents.pixels.floats.allSatisfy(\.isFinite) else { throw StableDiffusionError.invalidNumbers }
        let picture = try parts.decode(latents, with: decoder, pass)
        guard picture.pixels.floats.allSatisfy(\.isFinite) else { throw StableDiffusionError.invalidNumbers }
        extendLifetime((latents, picture))
        return Bitmap(picture)
    }

    /// A quick picture of a step's estimate, by the tiny decoder where there is one, else by a linear projection of the
    /// latents to colours at one pixel for each.
    ///
    /// - Throws: `Interrupted` when the checkpoint does.
    public func preview(_ denoised: FeatureMap, _ pass: Pass) throws(Interrupted) -> Bitmap {
        guard info.decoders.contains(.tiny) else { return Bitmap(parts.projection(denoised, pass)) }
        return Bitmap(try parts.decode(denoised, with: .tiny, pass))
    }
}
