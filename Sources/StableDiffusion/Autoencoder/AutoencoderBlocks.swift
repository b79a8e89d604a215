import Checkpoints
import Tensors

// What the encoder and the decoder of an AutoencoderKL (Rombach et al. 2022) have in common.
//
// [H, W, C]: rows, columns and channels of a map

/// Two convolutions, each after a norm and SiLU, added to the input.
struct AutoencoderResidualBlock: Sendable {
    let norm1: GroupNorm, convolution1: Convolution
    let norm2: GroupNorm, convolution2: Convolution
    /// Where the channels' number changes.
    let shortcut: Convolution?

    init(
        in inputs: Int, out outputs: Int, _ config: AutoencoderConfiguration, _ reader: LayerReader
    ) throws(CheckpointError) {
        norm1 = try GroupNorm(
            "norm1", channels: inputs, groupCount: config.groupCount, epsilon: 1e-6, reader)
        convolution1 = try reader.convolution("conv1", in: inputs, out: outputs)
        norm2 = try GroupNorm(
            "norm2", channels: outputs, groupCount: config.groupCount, epsilon: 1e-6, reader)
        convolution2 = try reader.convolution("conv2", in: outputs, out: outputs)
        shortcut =
            inputs == outputs
            ? nil : try reader.convolution("conv_shortcut", in: inputs, out: outputs, kernel: 1)
    }

    /// `[H, W, out]` of `x` `[H, W, in]`.
    func callAsFunction(_ x: FeatureMap, _ pass: Pass) throws(Interrupted) -> FeatureMap {
        let operations = pass.operations
        let residual = try shortcut.map { shortcut throws(Interrupted) in
            try operations.convolve(x, by: shortcut, checkpoint: pass.checkpoint)
        }
        let h = try operations.convolve(
            norm1(x, activation: .silu, pass), by: convolution1, checkpoint: pass.checkpoint)
        return try operations.convolve(
            norm2(h, activation: .silu, pass), by: convolution2, adding: residual ?? x,
            checkpoint: pass.checkpoint)
    }
}

/// Attention of one head between all pixels, added to the input.
struct AutoencoderAttention: Sendable {
    let norm: GroupNorm
    let query: Linear, key: Linear, value: Linear, output: Linear

    init(channels: Int, _ config: AutoencoderConfiguration, _ reader: LayerReader) throws(CheckpointError) {
        norm = try GroupNorm(
            "group_norm", channels: channels, groupCount: config.groupCount, epsilon: 1e-6, reader)
        // Files of diffusers before 0.15 have other names.
        let names =
            reader.contains("query")
            ? ["query", "key", "value", "proj_attn"] : ["to_q", "to_k", "to_v", "to_out.0"]
        query = try reader.linear(names[0], in: channels, out: channels)
        key = try reader.linear(names[1], in: channels, out: channels)
        value = try reader.linear(names[2], in: channels, out: channels)
        output = try reader.linear(names[3], in: channels, out: channels)
    }

    /// `[H, W, C]` of `x` `[H, W, C]`.
    func callAsFunction(_ x: FeatureMap, _ pass: Pass) throws(Interrupted) -> FeatureMap {
        let normed = try norm(x, pass).pixels  // [H * W, C]
        let attended = try pass.operations.attention(
            query(normed, pass), keys: key(normed, pass), values: value(normed, pass), headCount: 1,
            scale: 1 / Float(x.channels).squareRoot(), checkpoint: pass.checkpoint)
        return FeatureMap(
            height: x.height, width: x.width, pixels: try output(attended, adding: x.pixels, pass))
    }
}

/// The coarsest level: a residual block, attention, a residual block.
struct AutoencoderMiddle: Sendable {
    let first: AutoencoderResidualBlock
    let attention: AutoencoderAttention?
    let second: AutoencoderResidualBlock

    init(_ config: AutoencoderConfiguration, _ reader: LayerReader) throws(CheckpointError) {
        let channels = config.levelChannels[config.levelChannels.count - 1]
        first = try AutoencoderResidualBlock(
            in: channels, out: channels, config, reader.scoped("resnets.0"))
        attention =
            config.hasMiddleAttention
            ? try AutoencoderAttention(channels: channels, config, reader.scoped("attentions.0")) : nil
        second = try AutoencoderResidualBlock(
            in: channels, out: channels, config, reader.scoped("resnets.1"))
    }

    /// `[H, W, C]` of `x` `[H, W, C]`.
    func callAsFunction(_ x: FeatureMap, _ pass: Pass) throws(Interrupted) -> FeatureMap {
        var h = try first(x, pass)
        if let attention { h = try attention(h, pass) }
        return try second(h, pass)
    }
}

/// The last layers of either half: norm, SiLU, convolution.
struct AutoencoderOutput: Sendable {
    let norm: GroupNorm, convolution: Convolution

    init(
        in inputs: Int, out outputs: Int, _ config: AutoencoderConfiguration, _ reader: LayerReader
    ) throws(CheckpointError) {
        norm = try GroupNorm(
            "conv_norm_out", channels: inputs, groupCount: config.groupCount, epsilon: 1e-6, reader)
        convolution = try reader.convolution("conv_out", in: inputs, out: outputs)
    }

    /// `[H, W, out]` of `x` `[H, W, in]`.
    func callAsFunction(_ x: FeatureMap, _ pass: Pass) throws(Interrupted) -> FeatureMap {
        try pass.operations.convolve(
            norm(x, activation: .silu, pass), by: convolution, checkpoint: pass.checkpoint)
    }
}
