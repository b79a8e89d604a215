public import ImageCodecs

/// What is asked of a picture; `nil` is the model's own default.
public struct RenderSettings: Sendable, Equatable {
    public var prompt: String
    /// What the picture should not show; used with guidance only.
    public var negativePrompt: String = ""
    /// In pixels, a multiple of the model's factor.
    public var width: Int?
    /// In pixels, a multiple of the model's factor.
    public var height: Int?
    /// Denoising steps, at least 1.
    public var steps: Int?
    /// Of the noise: what `torch.Generator("cpu").manual_seed(seed)` takes.
    public var seed: UInt64
    public var scheduler: SchedulerKind?
    /// How strongly the prompt is followed; 1 or less computes without guidance, at half the cost.
    public var guidanceScale: Double?
    public var decoder: DecoderKind?
    /// Layers of the text encoder that are left out at its end.
    public var clipSkip: Int = 0
    /// What stands behind the prompt; the negative prompt always has its own padding.
    public var textPadding = TextPadding.encoded
    /// A picture to start from; it is resized to the size that is painted.
    public var initImage: Bitmap?
    /// Latents to start from instead of a picture; they must be of the size that is painted.
    public var startLatents: StartLatents?
    /// How much of the start picture, or of the start latents, is painted anew, above 0 to 1.
    public var strength: Double?
    /// White is painted anew, black is kept; needs `initImage`.
    public var mask: Bitmap?

    public init(prompt: String, seed: UInt64) {
        self.prompt = prompt
        self.seed = seed
    }
}

/// What a render may take; the figures are in the error when it would be more.
public struct RenderLimits: Sendable, Equatable {
    /// Width times height, at most.
    public var pixels: Int
    /// Bytes of memory beside the weights, at most; nil without a limit.
    public var memory: Int?

    public init(pixels: Int = 4096 * 4096, memory: Int? = nil) {
        self.pixels = pixels
        self.memory = memory
    }
}
