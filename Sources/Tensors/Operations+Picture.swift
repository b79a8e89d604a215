import Glibc

// What picture networks need beside products and convolutions.
//
// S rows (tokens or pixels), T rows of the context, H heads, D head dimension, C channels

extension Operations {
    /// `[S, N]` = activation(`x` [S, K] * `weight` [N, K] transposed + `bias` [1, N] + `residual` [S, N]).
    ///
    /// - Throws: `Interrupted` when `checkpoint` does.
    public func linear(
        _ x: Tensor, by weight: WeightTensor, bias: Tensor? = nil, adding residual: Tensor? = nil,
        activation: Activation = .none, checkpoint: InterruptionCheck
    ) throws(Interrupted) -> Tensor {
        let out = makeTensor(rows: x.rows, columns: weight.rows)
        try multiply(x, by: [weight], into: [out], checkpoint: checkpoint)
        for row in 0..<x.rows {
            for n in 0..<out.columns {
                let index = row * out.columns + n
                var sum = out.pointer[index] + (bias?.pointer[n] ?? 0)
                sum += residual?.pointer[index] ?? 0
                out.pointer[index] = activation(sum)
            }
        }
        return out
    }
}

extension Activation {
    func callAsFunction(_ x: Float) -> Float {
        switch self {
        case .none: x
        case .silu: x / (1 + expf(-x))
        case .relu: max(x, 0)
        case .gelu: 0.5 * x * (1 + erff(x * Float(0.5).squareRoot()))
        case .quickGELU: x / (1 + expf(-1.702 * x))
        }
    }
}
