import Checkpoints
import StrictJSON

/// The shape of a diffusion network, decoded once from diffusers' config.json (UNet2DConditionModel), with every default
/// resolved level by level and every value checked.
///
/// A setting that this engine doesn't have is an error that names it, never another picture.
struct UNetConfiguration: Sendable, Equatable {
    /// The transformers of one level.
    struct Transformers: Sendable, Equatable {
        /// Blocks of each transformer, one for each layer of the level.
        let depths: [Int]
        let headCount: Int
        /// Whether the first attention of a block looks at the context too, and not at the picture.
        let onlyCrosses: Bool
    }

    /// One level of the way down or up.
    struct Level: Sendable, Equatable {
        /// Channels of what comes in, not counting what is concatenated to it.
        let inputChannels: Int
        let channels: Int
        /// Channels that each layer takes off the stack of the way down, top first; empty on the way down.
        let skipChannels: [Int]
        let layerCount: Int
        /// nil for a level of residual blocks alone.
        let transformers: Transformers?
        /// Whether it ends with a change of resolution.
        let resamples: Bool
    }

    /// What lies between the way down and the way up.
    enum Middle: Sendable, Equatable {
        case none
        /// One residual block.
        case residual
        /// A transformer between two residual blocks.
        case crossAttention(Transformers)
    }

    /// How more than the text enters with the time.
    struct AddedConditions: Sendable, Equatable {
        /// Elements of the sinusoids of each number (sizes and crops).
        let timeEmbeddingSize: Int
        /// Elements of the pooled text and all sinusoids together.
        let inputSize: Int
    }

    let inputChannels: Int
    let outputChannels: Int
    /// Height and width of the latents that the network was trained with; nil when unknown.
    let sampleSize: [Int]?
    let down: [Level]
    let middle: Middle
    let up: [Level]
    /// Columns of the context.
    let contextSize: Int
    let groupCount: Int
    let epsilon: Float
    let convInKernel: Int
    let convOutKernel: Int
    /// Whether the latents are taken as 2 x - 1.
    let centersInput: Bool
    /// Zeros around the map before it is halved; without them it is extended to the right and below instead.
    let downsamplePadding: Int
    /// Elements of the sinusoids of a timestep.
    let timeInputSize: Int
    let timeEmbeddingSize: Int
    /// Cosines before sines.
    let flipsSines: Bool
    let frequencyShift: Float
    /// Elements of the guidance scale's embedding, of networks that take it (LCM).
    let guidanceEmbeddingSize: Int?
    let added: AddedConditions?

    /// Channels that the middle has.
    var middleChannels: Int { down.last?.channels ?? 0 }

    /// Latents of any size can be denoised, but not with fewer rows or columns than the levels halve.
    var levelCount: Int { down.count }

    init(_ config: ConfigFile) throws(StableDiffusionError) {
        try Self.refuseForeignParts(config)
        let channels =
            try config.levels("block_out_channels", in: 1...1 << 14, default: [320, 640, 1280, 1280])
        let count = channels.count
        let layers =
            try config.optionalIntPerLevel("layers_per_block", count: count, in: 1...32)
            ?? Array(repeating: 2, count: count)
        let groups = try config.int("norm_num_groups", in: 1...1 << 12, default: 32)
        let transformers = try TransformerSettings(config, channels: channels, layers: layers)
        let plan = LevelPlan(config: config, channels: channels, layers: layers, groupCount: groups)
        down = try plan.down(transformers)
        middle = try Self.middle(config, transformers)
        up = try plan.up(transformers)
        groupCount = groups
        contextSize = try Self.contextSize(config, count: count)

        inputChannels = try config.int("in_channels", in: 1...256, default: 4)
        outputChannels = try config.int("out_channels", in: 1...256, default: 4)
        sampleSize = try Self.sampleSize(config)
        epsilon = try config.float("norm_eps", in: 0...1, default: 1e-5)
        convInKernel = try Self.kernel(config, "conv_in_kernel")
        convOutKernel = try Self.kernel(config, "conv_out_kernel")
        centersInput = try config.bool("center_input_sample", default: false)
        downsamplePadding = try config.int("downsample_padding", in: 0...1, default: 1)
        timeInputSize = channels[0]
        timeEmbeddingSize = try config.int("time_embedding_dim", in: 1...1 << 16, default: channels[0] * 4)
        flipsSines = try config.bool("flip_sin_to_cos", default: true)
        frequencyShift = try config.float("freq_shift", in: 0...1, default: 0)
        guidanceEmbeddingSize = try config.optionalInt("time_cond_proj_dim", in: 4...1 << 14)
        added = try Self.added(config)
        guard timeInputSize >= 4 else {
            throw config.invalid("block_out_channels", "4 channels or more in the first level")
        }
    }

    // MARK: - Parts

    private static func middle(
        _ config: ConfigFile, _ transformers: TransformerSettings
    ) throws(StableDiffusionError) -> Middle {
        // Here null and absence differ: a network without the key has the usual middle.
        if config.json["mid_block_type"]?.isNull ?? false { return .none }
        switch try config.optionalString("mid_block_type") ?? "UNetMidBlock2DCrossAttn" {
        case "UNetMidBlock2DCrossAttn": return .crossAttention(try transformers.middle())
        case "UNetMidBlock2D": return .residual
        case let other: throw config.unsupported("the middle block \(quoted(other))")
        }
    }

    private static func contextSize(
        _ config: ConfigFile, count: Int
    ) throws(StableDiffusionError) -> Int {
        let sizes =
            try config.optionalIntPerLevel("cross_attention_dim", count: count, in: 1...1 << 16) ?? [1280]
        guard Set(sizes).count == 1 else {
            throw config.unsupported("contexts of different sizes (cross_attention_dim)")
        }
        return sizes[0]
    }

    private static func sampleSize(_ config: ConfigFile) throws(StableDiffusionError) -> [Int]? {
        try config.optionalIntPerLevel("sample_size", count: 2, in: 1...1 << 14)
    }

    private static func kernel(
        _ config: ConfigFile, _ key: String
    ) throws(StableDiffusionError) -> Int {
        let size = try config.int(key, in: 1...64, default: 3)
        guard size == 1 || size == 3 else { throw config.unsupported("\(key) = \(size)") }
        return size
    }

    private static func added(
        _ config: ConfigFile
    ) throws(StableDiffusionError) -> AddedConditions? {
        guard let type = try config.optionalString("addition_embed_type") else { return nil }
        guard type == "text_time" else { throw config.unsupported("addition_embed_type \(quoted(type))") }
        let added = AddedConditions(
            timeEmbeddingSize: try config.int("addition_time_embed_dim", in: 4...1 << 14),
            inputSize: try config.int("projection_class_embeddings_input_dim", in: 1...1 << 16))
        guard added.inputSize > 6 * added.timeEmbeddingSize else {
            throw config.invalid(
                "projection_class_embeddings_input_dim",
                "more than the \(6 * added.timeEmbeddingSize) elements of six numbers")
        }
        return added
    }

    /// Everything that other networks of this class have and the published ones don't.
    private static func refuseForeignParts(_ config: ConfigFile) throws(StableDiffusionError) {
        let name = try config.optionalString("_class_name") ?? "UNet2DConditionModel"
        guard name == "UNet2DConditionModel" else {
            throw .unsupportedModel(path: config.path, found: "a network of the class \(quoted(name))")
        }
        let activation = try config.optionalString("act_fn") ?? "silu"
        guard activation == "silu" || activation == "swish" else {
            throw config.unsupported("act_fn \(quoted(activation))")
        }
        for key in [
            "class_embed_type", "num_class_embeds", "encoder_hid_dim", "encoder_hid_dim_type",
            "time_embedding_act_fn", "timestep_post_act", "cross_attention_norm",
        ] where config.contains(key) {
            throw config.unsupported("\(key) = \(config.json[key]?.described ?? "")")
        }
        for key in ["dual_cross_attention", "resnet_skip_time_act", "class_embeddings_concat"] {
            try config.require(key, .bool(false))
        }
        for key in ["mid_block_scale_factor", "resnet_out_scale_factor"] {
            try config.require(key, .integer(1))
        }
        try config.require("resnet_time_scale_shift", .string("default"))
        try config.require("time_embedding_type", .string("positional"))
        try config.require("attention_type", .string("default"))
        if config.json["norm_num_groups"]?.isNull ?? false {
            throw config.unsupported("no group norm (norm_num_groups = null)")
        }
    }
}
