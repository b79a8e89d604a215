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
    let parts: Parts

    /// None yet: no value of this type exists before the networks are there.
    enum Parts {}

    /// Fills in the model's defaults and checks that the render can be done, before anything runs.
    ///
    /// - Throws: `invalidSetting`, `invalidSize`, `exceedsPixels`, `exceedsMemory`.
    public func plan(
        _ settings: RenderSettings, limits: RenderLimits = RenderLimits()
    ) throws(StableDiffusionError) -> RenderPlan {
        switch parts {}
    }

    /// What the text encoders make of the plan's prompts.
    ///
    /// - Throws: `Interrupted` when the checkpoint does.
    public func encodePrompt(_ plan: RenderPlan, _ pass: Pass) throws(Interrupted) -> Conditioning {
        switch parts {}
    }

    /// What the encoder makes of the plan's start picture; nil without one.
    ///
    /// - Throws: `Interrupted` when the checkpoint does.
    public func encodePicture(_ plan: RenderPlan, _ pass: Pass) throws(Interrupted) -> EncodedPicture? {
        switch parts {}
    }

    /// The picture of `latents` `[h, w, C]`, which are left as they are.
    ///
    /// - Throws: `StableDiffusionError.invalidNumbers` for latents that aren't finite; `Interrupted` when the checkpoint
    ///   does.
    public func decode(_ latents: FeatureMap, with decoder: DecoderKind, _ pass: Pass) throws -> Bitmap {
        switch parts {}
    }

    /// A quick picture of a step's estimate, by the tiny decoder where there is one, else by a linear projection of the
    /// latents to colours at one pixel for each.
    ///
    /// - Throws: `Interrupted` when the checkpoint does.
    public func preview(_ denoised: FeatureMap, _ pass: Pass) throws(Interrupted) -> Bitmap {
        switch parts {}
    }
}
