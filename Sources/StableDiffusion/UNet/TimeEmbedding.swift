import Checkpoints
import Glibc
import Tensors

/// The sinusoids of a number: half of them sines and half cosines, of falling frequencies.
///
/// As transformers have them for places (Vaswani et al. 2017).
struct Sinusoids: Sendable {
    /// Elements for each number.
    let size: Int
    /// Cosines before sines.
    var flips = false
    var frequencyShift: Float = 0

    /// Writes the sinusoids of `value` to `row`, whose first `size` elements they become.
    func write(_ value: Float, to row: UnsafeMutableBufferPointer<Float>) {
        let half = size / 2
        for i in 0..<half {
            // Rounded as torch rounds it, step by step: times of about 1000 make the last bit count.
            let exponent = Float(-log(10000.0)) * Float(i) / (Float(half) - frequencyShift)
            let angle = value * expf(exponent)
            row[i] = flips ? cosf(angle) : sinf(angle)
            row[half + i] = flips ? sinf(angle) : cosf(angle)
        }
        if size % 2 == 1 { row[size - 1] = 0 }
    }

    /// The embedding of a guidance scale, for networks that take it as an input.
    ///
    /// Luo et al. 2023, section 4.2.
    static func guidance(_ scale: Double, size: Int) -> Tensor {
        let embedding = Tensor(rows: 1, columns: size)
        let row = embedding.floats
        let half = size / 2
        let exponent = -(Float(log(10000.0)) / Float(half - 1))
        for i in 0..<half {
            let angle = Float(scale - 1) * 1000 * expf(Float(i) * exponent)
            (row[i], row[half + i]) = (sinf(angle), cosf(angle))
        }
        return embedding
    }
}

/// Two projections with SiLU between them, from sinusoids to what the residual blocks are told.
struct TimeEmbedding: Sendable {
    let first: Linear
    let second: Linear
    /// What is added to the sinusoids, of networks that take the guidance scale.
    let condition: Linear?

    init(
        _ reader: LayerReader, in inputs: Int, out outputs: Int, condition size: Int? = nil
    ) throws(CheckpointError) {
        first = try reader.linear("linear_1", in: inputs, out: outputs, biased: true)
        second = try reader.linear("linear_2", in: outputs, out: outputs, biased: true)
        if let size {
            condition = try reader.linear("cond_proj", in: size, out: inputs)
        } else {
            condition = nil
        }
    }

    /// `[S, out]` of the sinusoids `x` `[S, in]`, to which `guidance` `[1, size]` is added first, where it is given.
    func callAsFunction(_ x: Tensor, guidance: Tensor? = nil, _ pass: Pass) throws(Interrupted) -> Tensor {
        if let guidance, let condition {
            let shift = try condition(guidance, pass)  // [1, in]
            for row in 0..<x.rows { pass.operations.add(shift, to: x[row]) }
        }
        return try second(first(x, activation: .silu, pass), pass)
    }
}

/// What every residual block is told at every step of a schedule, computed once.
struct TimeEmbeddings: Sendable {
    /// Of the schedule.
    let timesteps: [Float]
    /// Of networks that take it.
    let guidanceScale: Double?
    /// For each block of the network `[steps, channels]`.
    let shifts: [Tensor]

    /// What is added to the channels of a block, `[1, channels]`.
    func shift(block: Int, step: Int) -> Tensor { shifts[block][step] }
}
