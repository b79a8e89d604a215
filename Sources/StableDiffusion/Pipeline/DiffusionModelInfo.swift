/// Which of the published architectures a model follows.
public enum ModelFamily: String, Sendable, CaseIterable {
    case stableDiffusion1 = "sd1"
    case stableDiffusion2 = "sd2"
    case stableDiffusionXL = "sdxl"
}

/// How latents become pixels.
public enum DecoderKind: String, Sendable, CaseIterable {
    /// The model's own autoencoder (AutoencoderKL).
    case full
    /// A distilled one, many times faster and a little less exact (AutoencoderTiny).
    case tiny
}

/// What is known of a picture model from its configurations and the headers of its weights.
public struct DiffusionModelInfo: Sendable, Equatable {
    public var family: ModelFamily
    /// Elements of all weights.
    public var parameterCount: Int
    /// Bytes of all weights in their files.
    public var byteCount: Int
    /// In pixels: what the model was trained for.
    public var defaultWidth: Int
    /// In pixels: what the model was trained for.
    public var defaultHeight: Int
    /// Pixels for each latent in a row or column; a picture's size is a multiple of it.
    public var factor: Int
    /// Never empty; the first is the default.
    public var decoders: [DecoderKind]
    /// The model's own.
    public var scheduler: SchedulerKind
    public var prediction: Prediction
    /// What the user should know, in sentences: such as a default that had to be assumed.
    public var warnings: [String]

    public init(
        family: ModelFamily, parameterCount: Int, byteCount: Int, defaultWidth: Int, defaultHeight: Int,
        factor: Int, decoders: [DecoderKind], scheduler: SchedulerKind, prediction: Prediction,
        warnings: [String] = []
    ) {
        self.family = family
        self.parameterCount = parameterCount
        self.byteCount = byteCount
        self.defaultWidth = defaultWidth
        self.defaultHeight = defaultHeight
        self.factor = factor
        self.decoders = decoders
        self.scheduler = scheduler
        self.prediction = prediction
        self.warnings = warnings
    }
}
