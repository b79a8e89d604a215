import Checkpoints
import Tensors

/// Normalises each row over its columns (Ba, Kiros and Hinton 2016).
struct LayerNorm: Sendable {
    let weight: Tensor  // [1, C]
    let bias: Tensor  // [1, C]
    let epsilon: Float

    /// The norm `name` over `channels`.
    init(
        _ name: String, channels: Int, epsilon: Float = 1e-5, _ reader: LayerReader
    ) throws(CheckpointError) {
        (weight, bias) = try reader.norm(name, channels: channels)
        self.epsilon = epsilon
    }

    /// The norm of `x` `[S, C]`.
    func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
        pass.operations.layerNorm(x, weight: weight, bias: bias, epsilon: epsilon)
    }
}

/// Normalises groups of neighbouring channels over all pixels (Wu and He 2018).
struct GroupNorm: Sendable {
    let weight: Tensor  // [1, C]
    let bias: Tensor  // [1, C]
    let groupCount: Int
    let epsilon: Float

    /// The norm `name` over `channels`, a multiple of `groupCount`.
    init(
        _ name: String, channels: Int, groupCount: Int, epsilon: Float, _ reader: LayerReader
    ) throws(CheckpointError) {
        (weight, bias) = try reader.norm(name, channels: channels)
        self.groupCount = groupCount
        self.epsilon = epsilon
    }

    /// activation(norm of `x` `[H, W, C]`).
    func callAsFunction(
        _ x: FeatureMap, activation: Activation = .none, _ pass: Pass
    ) throws(Interrupted) -> FeatureMap {
        try pass.operations.groupNorm(
            x, groupCount: groupCount, weight: weight, bias: bias, epsilon: epsilon, activation: activation,
            checkpoint: pass.checkpoint)
    }
}
