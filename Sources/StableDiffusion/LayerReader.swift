import Checkpoints
import Tensors

/// Hands out a network's layers by name, each checked for its shape and prepared for the kernels.
///
/// Names are those of diffusers, whatever file they come from.
struct LayerReader {
    let weights: WeightReader
    let operations: Operations

    /// A reader of the names that begin with `prefix` and a dot.
    func scoped(_ prefix: String) -> LayerReader {
        LayerReader(weights: weights.scoped(prefix), operations: operations)
    }

    /// Whether there is a tensor `name.weight` or `name`.
    func contains(_ name: String) -> Bool { weights.contains(name) }

    /// The convolution `name.weight` `[out, in, kernel, kernel]` with `name.bias`, where there is one, or which with
    /// `biased` must be there.
    func convolution(
        _ name: String, in inputs: Int, out outputs: Int, kernel: Int = 3, stride: Int = 1,
        padding: Convolution.Padding? = nil, biased: Bool = false
    ) throws(CheckpointError) -> Convolution {
        let weight = try weights.tensor(name, shape: [outputs, inputs, kernel, kernel])
        let bias = try bias(name, count: outputs, isRequired: biased)
        return operations.convolution(
            weight, bias: bias, stride: stride, padding: padding ?? .all(kernel / 2))
    }

    /// The projection `name.weight` `[out, in]` (or `[out, in, 1, 1]`) with `name.bias`, where there is one, or which
    /// with `biased` must be there.
    func linear(
        _ name: String, in inputs: Int, out outputs: Int, biased: Bool = false
    ) throws(CheckpointError) -> Linear {
        let bias = try bias(name, count: outputs, isRequired: biased)
        let weight = operations.projection(try weights.linear(name, out: outputs, in: inputs))
        return Linear(weight: weight, bias: bias)
    }

    private func bias(_ name: String, count: Int, isRequired: Bool) throws(CheckpointError) -> Tensor? {
        guard isRequired || weights.contains(name + ".bias") else { return nil }
        return try weights.vector(name + ".bias", count: count)
    }

    /// The scale and shift of a norm over `channels`.
    func norm(_ name: String, channels: Int) throws(CheckpointError) -> (weight: Tensor, bias: Tensor) {
        (
            try weights.vector(name, count: channels),
            try weights.vector(name + ".bias", count: channels)
        )
    }
}

/// A projection of rows, x Wᵀ + b.
struct Linear: Sendable {
    let weight: WeightTensor  // [out, in], packed
    let bias: Tensor?  // [1, out]

    /// `[S, out]` of `x` `[S, in]`.
    func callAsFunction(
        _ x: Tensor, adding residual: Tensor? = nil, activation: Activation = .none, _ pass: Pass
    ) throws(Interrupted) -> Tensor {
        try pass.operations.linear(
            x, by: weight, bias: bias, adding: residual, activation: activation, checkpoint: pass.checkpoint)
    }
}
