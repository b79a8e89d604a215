public import ImageCodecs

/// A request with every default filled in and everything checked: the same plan gives the same picture.
///
/// `DiffusionModel.plan` makes one.
public struct RenderPlan: Sendable {
    public let prompt: String
    public let negativePrompt: String
    /// In pixels.
    public let width: Int
    /// In pixels.
    public let height: Int
    /// Steps of the whole way from noise; with a start picture or latents fewer of them are taken (`stepCount`).
    public let steps: Int
    public let seed: UInt64
    public let scheduler: SchedulerKind
    public let guidanceScale: Double
    public let decoder: DecoderKind
    public let clipSkip: Int
    public let textPadding: TextPadding
    public let initImage: Bitmap?
    public let startLatents: StartLatents?
    /// With a start picture or latents only.
    public let strength: Double?
    public let mask: Bitmap?
    /// Runs of the network: how often `Denoising.next()` gives something.
    public let stepCount: Int
    /// All that the text encoders see of the prompts.
    public let tokens: PromptTokens
    /// Tokens of the prompt and the negative prompt, as far as the text encoder sees them.
    public let promptTokens: Int
    /// Estimated bytes of memory beside the weights, at the peak.
    public let memory: Int
    /// What the user should know, in sentences: such as words that the text encoder doesn't see.
    public let warnings: [String]

    /// Whether a render in a single step begins at the same time: then its run of the network is the first one of this
    /// render too, and is remembered for it.
    public let beginsAsOneStep: Bool
    /// Whether every step runs the network for the negative prompt too.
    let isGuided: Bool
    let schedule: any Scheduler
    /// The first step that is taken: not 0 with a start picture or latents.
    let firstStep: Int
}
