import CKernels

extension Operations {
    /// `outputs[i]` [S, N_i] = `x` [S, K] * `weights[i]` [N_i, K] transposed, or += with `accumulate`.
    ///
    /// Several weights share one quantisation of `x` and one round of the pool. Quantised weights multiply `x` rounded
    /// to 8 bits in groups of 32, or to 16 (see ``ActivationPrecision``); sums are exact integers in a group and f32
    /// between groups.
    /// - Throws: `Interrupted` when `checkpoint` does; the outputs are then unspecified.
    public func multiply(
        _ x: Tensor, by weights: [WeightTensor], into outputs: [Tensor], accumulate: Bool = false,
        checkpoint: InterruptionCheck
    ) throws(Interrupted) {
        precondition(weights.count == outputs.count, "one output for each weight")
        for (weight, output) in zip(weights, outputs) {
            precondition(weight.columns == x.columns, "weights of another width than the activations")
            precondition(!weight.isPacked || weight.type.blockLength > 1, "weights prepared for linear")
            precondition(output.columns == weight.rows && output.rows >= x.rows, "output of another size")
        }
        guard x.rows > 0 else { return }
        let planes = planes(x, quantised: weights.contains { $0.type.blockLength > 1 })
        let slices = Self.partition(weights, rows: x.rows * planes.count)
        let matrices = weights.map(\.matrix)
        let multiply = kernels.pointee.multiply
        let multiplyPair = planes.count == 2 && x.rows == 1 ? kernels.pointee.multiply_pair : nil
        try pool.run(parts: slices.count, checkpoint: checkpoint) { part in
            let slice = slices[part]
            let output = outputs[slice.index]
            let floats = weights[slice.index].type.blockLength == 1
            withUnsafePointer(to: matrices[slice.index]) { matrix in
                if matrix.pointee.packed, let multiplyPair {
                    withUnsafePointer(to: planes[0]) { coarse in
                        withUnsafePointer(to: planes[1]) { fine in
                            multiplyPair(
                                matrix, Int64(slice.first), Int64(slice.count), coarse, fine, output.pointer,
                                accumulate)
                        }
                    }
                    return
                }
                // The planes add up to x; a slice's weights are still in the cache for the second one.
                for (index, plane) in planes.prefix(floats ? 1 : 2).enumerated() {
                    withUnsafePointer(to: plane) { plane in
                        multiply(
                            matrix, Int64(slice.first), Int64(slice.count), plane, output.pointer,
                            Int64(output.columns), accumulate || index > 0)
                    }
                }
            }
        }
        extendLifetime(weights)
        extendLifetime(x)
    }

    /// `x` with its 8-bit copy in the workspace, if any weight wants it, and what that copy leaves with its own, if
    /// the activations are to have 16 bits.
    private func planes(_ x: Tensor, quantised: Bool) -> [ck_activations] {
        guard quantised else {
            return [
                ck_activations(
                    rows: Int64(x.rows), columns: Int64(x.columns), stride: Int64(x.columns),
                    values: x.pointer, quants: nil, scales: nil, sums: nil, half_sums: nil, remainders: nil)
            ]
        }
        guard activationPrecision == .bits16 else { return [plane(x.pointer, of: x, .coarse)] }
        let remainders = workspace.take(.remainders, count: x.rows * x.columns, as: Float.self)
        return [
            plane(x.pointer, of: x, .coarse, leaving: remainders), plane(remainders, of: x, .fine),
        ]
    }

    /// `values`, in the shape of `x`, rounded to 8 bits in groups of 32.
    private func plane(
        _ values: UnsafeMutablePointer<Float>, of x: Tensor, _ plane: Workspace.Plane,
        leaving remainders: UnsafeMutablePointer<Float>? = nil
    ) -> ck_activations {
        let count = x.rows * x.columns
        let activations = ck_activations(
            rows: Int64(x.rows), columns: Int64(x.columns), stride: Int64(x.columns), values: values,
            quants: workspace.take(.quants(plane), count: count, as: Int8.self),
            scales: workspace.take(.scales(plane), count: count / 32, as: Float.self),
            sums: workspace.take(.sums(plane), count: count / 32, as: Float.self),
            half_sums: workspace.take(.halfSums(plane), count: count / 16, as: Float.self),
            remainders: remainders)
        let quantize = kernels.pointee.quantize
        forRows(x.rows, columns: x.columns) { row in
            withUnsafePointer(to: activations) { quantize($0, Int64(row), 1) }
        }
        return activations
    }
}

extension Operations {
    /// Rows of one of the weights: one part of the work.
    struct Slice {
        let index: Int
        let first: Int
        let count: Int
    }

    /// Cuts weights into parts by their sizes alone, so that the parts do not depend on the thread count.
    static func partition(_ weights: [WeightTensor], rows: Int) -> [Slice] {
        // One part costs about a microsecond to hand out, and must end well within 50 ms.
        let work = weights.reduce(0) { $0 + $1.bytes.count } * rows
        let share = min(max(work / 24, 1 << 14), 1 << 24)
        var slices: [Slice] = []
        for (index, weight) in weights.enumerated() where weight.rows > 0 {
            let perRow = max(weight.bytes.count / weight.rows * rows, 1)
            let count = max((share / perRow + 31) / 32, 1) * 32
            for first in stride(from: 0, to: weight.rows, by: count) {
                slices.append(Slice(index: index, first: first, count: min(count, weight.rows - first)))
            }
        }
        return slices
    }
}
