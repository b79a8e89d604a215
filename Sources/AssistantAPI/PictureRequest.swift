public import FoundationEssentials

/// What is asked of the picture engine: body of `POST /inkling/v1/pictures`.
///
/// Fields that are `nil` are the model's own defaults.
public struct PictureRequest: Codable, Sendable, Equatable {
    /// A known name or an absolute path; `nil` means the default picture model.
    public var model: String?
    public var prompt: String
    public var negativePrompt: String?
    /// In pixels, a multiple of the model's factor (usually 8).
    public var width: Int?
    /// In pixels, a multiple of the model's factor (usually 8).
    public var height: Int?
    /// Denoising steps.
    public var steps: Int?
    /// The noise of the first picture; each further one adds 1.
    ///
    /// `nil` chooses one, which the recipe tells.
    public var seed: UInt64?
    /// A scheduler's name, such as `euler_a`; see `Recipe.scheduler`.
    public var scheduler: String?
    /// 1 or less computes without guidance, at half the cost.
    public var guidanceScale: Double?
    /// `full` or `tiny`.
    public var decoder: String?
    /// Layers of the text encoder that are left out at its end.
    public var clipSkip: Int?
    /// What stands behind the prompt for the network: `encoded` (default), or `blank`, the padding of no prompt, which
    /// takes less time.
    public var textPadding: String?
    /// LoRA files to merge, with their weights.
    public var loras: [LoRA]?
    /// What the network gives, where the model's files don't say it: `epsilon`, `v_prediction` or `sample`.
    public var prediction: String?
    /// How many pictures, one after the other.
    public var count: Int?
    /// A PNG or WebP file to start from.
    public var initImage: Data?
    /// How much of the start picture is painted anew, above 0 to 1.
    public var strength: Double?
    /// A PNG or WebP file that says what is painted anew; see `maskChannel`.
    ///
    /// Needs `initImage`.
    public var mask: Data?
    /// What of the mask counts; `nil` means its lightness.
    ///
    /// Needs `initImage`.
    public var maskChannel: MaskChannel?
    /// How many intermediate pictures to send for each picture.
    public var partialImages: Int?
    /// Of the files: `png` (default) or `webp`.
    public var format: PictureFormat?
    /// WebP's quality from 0 to 100; `nil` is lossless.
    public var quality: Int?
    /// Whether the files carry the prompt and settings; they say in any case that a model made them.
    public var keepsRecipe: Bool?
    /// Keeps nothing in the history.
    public var isPrivate: Bool?
    /// How long the model stays in memory afterwards; `nil` means the configuration's.
    public var keepAlive: KeepAlive?

    /// A LoRA file and how much of it is merged into the model.
    public struct LoRA: Codable, Sendable, Equatable, Hashable {
        /// A name in the models' folders or an absolute path.
        public var name: String
        public var weight: Double

        public init(name: String, weight: Double = 1) {
            self.name = name
            self.weight = weight
        }
    }

    public init(prompt: String) { self.prompt = prompt }
}

/// What of a mask says where a picture is painted anew.
public enum MaskChannel: String, Codable, Sendable, CaseIterable {
    /// White is painted anew, black is kept.
    case lightness
    /// What is fully transparent is painted anew; without a mask, of the start picture itself.
    case alpha
}

/// A format of picture files.
public enum PictureFormat: String, Codable, Sendable, CaseIterable {
    case png, webp
}

/// Everything that decides how a picture looks: the same recipe gives the same picture.
public struct Recipe: Codable, Sendable, Equatable {
    /// The model's public name.
    public var model: String
    public var prompt: String
    public var negativePrompt: String
    public var width: Int
    public var height: Int
    public var steps: Int
    public var seed: UInt64
    /// `ddim`, `pndm`, `euler`, `euler_a`, `dpmpp_2m`, `dpmpp_2m_karras`, `lcm`, `tcd` or `unipc`.
    public var scheduler: String
    public var guidanceScale: Double
    /// `full` or `tiny`.
    public var decoder: String
    public var clipSkip: Int
    /// `blank` where the prompt has the padding of no prompt.
    public var textPadding: String?
    public var loras: [PictureRequest.LoRA]
    /// Where it was asked for.
    public var prediction: String?
    /// With a start picture only.
    public var strength: Double?
    /// SHA-256 of the start picture's file, in hexadecimal.
    public var initImage: String?
    /// SHA-256 of the mask's file, in hexadecimal; that of the start picture where its own transparency is the mask.
    public var mask: String?
    /// `alpha` where the mask's transparency counts.
    public var maskChannel: MaskChannel?

    public init(
        model: String, prompt: String, negativePrompt: String = "", width: Int, height: Int, steps: Int,
        seed: UInt64, scheduler: String, guidanceScale: Double, decoder: String, clipSkip: Int = 0,
        textPadding: String? = nil, loras: [PictureRequest.LoRA] = [], prediction: String? = nil,
        strength: Double? = nil,
        initImage: String? = nil,
        mask: String? = nil,
        maskChannel: MaskChannel? = nil
    ) {
        self.model = model
        self.prompt = prompt
        self.negativePrompt = negativePrompt
        self.width = width
        self.height = height
        self.steps = steps
        self.seed = seed
        self.scheduler = scheduler
        self.guidanceScale = guidanceScale
        self.decoder = decoder
        self.clipSkip = clipSkip
        self.textPadding = textPadding
        self.loras = loras
        self.prediction = prediction
        self.strength = strength
        self.initImage = initImage
        self.mask = mask
        self.maskChannel = maskChannel
    }
}
