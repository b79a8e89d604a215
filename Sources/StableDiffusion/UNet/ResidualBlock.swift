import Checkpoints
import Tensors

/// Two convolutions with a shortcut past them, told the time in between (diffusers' ResnetBlock2D).
struct ResidualBlock: Sendable {
    let norm1: GroupNorm
    let conv1: Convolution
    /// The block's place in `TimeEmbeddings`.
    let timeIndex: Int
    let norm2: GroupNorm
    let conv2: Convolution
    /// Where the number of channels changes.
    let shortcut: Convolution?

    init(
        _ config: UNetConfiguration, _ reader: LayerReader, in inputs: Int, out outputs: Int,
        _ projections: inout SharedProjections
    ) throws(CheckpointError) {
        let (groups, epsilon) = (config.groupCount, config.epsilon)
        norm1 = try GroupNorm("norm1", channels: inputs, groupCount: groups, epsilon: epsilon, reader)
        conv1 = try reader.convolution("conv1", in: inputs, out: outputs, biased: true)
        timeIndex = projections.addTime(
            try reader.linear("time_emb_proj", in: config.timeEmbeddingSize, out: outputs, biased: true))
        norm2 = try GroupNorm("norm2", channels: outputs, groupCount: groups, epsilon: epsilon, reader)
        conv2 = try reader.convolution("conv2", in: outputs, out: outputs, biased: true)
        shortcut =
            inputs == outputs
            ? nil : try reader.convolution("conv_shortcut", in: inputs, out: outputs, kernel: 1, biased: true)
    }

    /// `[H, W, out]` of `x` `[H, W, in]`.
    func callAsFunction(
        _ x: FeatureMap, _ conditions: StepConditions, _ pass: Pass
    ) throws(Interrupted) -> FeatureMap {
        let (operations, checkpoint) = (pass.operations, pass.checkpoint)
        var h = try norm1(x, activation: .silu, pass)
        h = try operations.convolve(
            h, by: conv1,
            addingPerChannel: conditions.time.shift(block: timeIndex, step: conditions.step),
            checkpoint: checkpoint)
        h = try norm2(h, activation: .silu, pass)
        var residual = x
        if let shortcut {
            residual = try operations.convolve(x, by: shortcut, checkpoint: checkpoint)
        }
        return try operations.convolve(h, by: conv2, adding: residual, checkpoint: checkpoint)
    }
}
