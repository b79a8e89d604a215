public import Tensors

/// The way from noise to a picture, one step at a time: the caller owns pace, previews and stop.
///
/// A value: a copy goes on by itself, from the same step and the same random numbers.
public struct Denoising: Sendable {
    private let model: DiffusionModel
    /// How many steps there are in all.
    public let stepCount: Int
    /// Steps done.
    public private(set) var step = 0
    /// The latents after `step` steps, `[h, w, C]`.
    public private(set) var latents: FeatureMap

    /// Draws the noise; with a start picture, encodes that first unless `picture` has it already.
    ///
    /// - Throws: `Interrupted` when the checkpoint does.
    public init(
        _ model: DiffusionModel, _ plan: RenderPlan, _ conditioning: Conditioning,
        picture: EncodedPicture? = nil, pass: Pass
    ) throws(Interrupted) {
        switch model.parts {}
    }

    /// Takes one step and gives the model's estimate of the finished latents `[h, w, C]`, good enough for a preview; nil
    /// when all steps are done.
    ///
    /// - Throws: `Interrupted` when the checkpoint does; nothing has changed then, and the step can be taken again.
    public mutating func next(_ pass: Pass) throws(Interrupted) -> FeatureMap? {
        switch model.parts {}
    }
}
