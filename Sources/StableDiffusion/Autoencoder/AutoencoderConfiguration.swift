/// The sizes of an `AutoencoderKL`, from diffusers' config.json.
struct AutoencoderConfiguration: Sendable {
    /// Channels of a picture; 3.
    let pictureChannels: Int
    let latentChannels: Int
    /// Channels of each level, the finest first.
    let levelChannels: [Int]
    /// Residual blocks of each of the encoder's levels; the decoder has one more.
    let layersPerBlock: Int
    let groupCount: Int
    let hasMiddleAttention: Bool
    /// A 1 × 1 convolution after the encoder.
    let hasQuantConvolution: Bool
    /// A 1 × 1 convolution before the decoder.
    let hasPostQuantConvolution: Bool
    /// Height and width of the pictures that it was trained with.
    let sampleSize: Int
    let latentScale: LatentScale

    /// How many pixels a latent stands for, in each direction.
    var factor: Int { 1 << (levelChannels.count - 1) }

    /// - Throws: `invalidConfiguration`, `unsupportedFeature`.
    init(_ file: ConfigFile) throws(StableDiffusionError) {
        let name = try file.optionalString("_class_name") ?? "AutoencoderKL"
        guard name == "AutoencoderKL" else { throw file.unsupported("the autoencoder \(name)") }
        let activation = try file.optionalString("act_fn") ?? "silu"
        guard ["silu", "swish"].contains(activation) else {
            throw file.unsupported("the activation \(activation)")
        }
        for (key, known) in [
            ("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D"),
        ] {
            let other = try file.optionalStrings(key)?.first { $0 != known }
            if let other { throw file.unsupported("blocks of the type \(other)") }
        }
        pictureChannels = try file.int("in_channels", in: 3...3, default: 3)
        _ = try file.int("out_channels", in: 3...3, default: 3)
        latentChannels = try file.int("latent_channels", in: 1...256, default: 4)
        levelChannels = try file.levels("block_out_channels", in: 1...1 << 13, default: [64])
        layersPerBlock = try file.int("layers_per_block", in: 1...64, default: 1)
        let groupCount = try file.int("norm_num_groups", in: 1...1 << 13, default: 32)
        guard levelChannels.allSatisfy({ $0 % groupCount == 0 }) else {
            throw file.invalid("norm_num_groups", "a divisor of each of block_out_channels")
        }
        self.groupCount = groupCount
        hasMiddleAttention = try file.bool("mid_block_add_attention", default: true)
        hasQuantConvolution = try file.bool("use_quant_conv", default: true)
        hasPostQuantConvolution = try file.bool("use_post_quant_conv", default: true)
        sampleSize = try file.int("sample_size", in: 1...1 << 14, default: 32)
        latentScale = try LatentScale(file, channels: latentChannels, defaultFactor: 0.18215)
    }
}
