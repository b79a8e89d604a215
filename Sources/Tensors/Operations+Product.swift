import CKernels

// Products of rows with float weights, and convolutions as such products.

extension Operations {
    /// Prepares the weights `[N, K]` of a projection for `linear`, which takes them as they are, too, but slower.
    ///
    /// They are copied into the order that the kernels read, in their own type; the pages of the original are released.
    public func projection(_ weight: WeightTensor) -> WeightTensor {
        precondition(weight.type.blockLength == 1, "weights in f32, f16 or bf16")
        return interleaved(weight)
    }

    /// `[S, N]` = activation(`x` [S, K] * `weight` [N, K] transposed + `bias` [1, N] + `residual` [S, N]).
    ///
    /// - Throws: `Interrupted` when `checkpoint` does.
    public func linear(
        _ x: Tensor, by weight: WeightTensor, bias: Tensor? = nil, adding residual: Tensor? = nil,
        activation: Activation = .none, checkpoint: InterruptionCheck
    ) throws(Interrupted) -> Tensor {
        precondition(weight.type.blockLength == 1, "weights in f32, f16 or bf16")
        precondition(weight.columns == x.columns, "weights of another width than the rows")
        precondition(bias.map { $0.rows * $0.columns == weight.rows } ?? true, "bias of another size")
        precondition(
            residual.map { $0.rows == x.rows && $0.columns == weight.rows } ?? true,
            "a residual of the result's size")
        let out = makeTensor(rows: x.rows, columns: weight.rows)
        guard x.rows > 0 else { return out }
        let call = ck_convolution(
            x: x.pointer, height: 1, width: Int64(x.rows), channels: Int64(x.columns),
            weights: weight.matrix, size: 1, stride: 1, top: 0, left: 0, y: out.pointer, out_height: 1,
            out_width: Int64(x.rows), bias: bias?.pointer, offsets: nil, residual: residual?.pointer,
            activation: activation.kernel)
        defer {
            extendLifetime(x)
            extendLifetime(weight)
            extendLifetime(bias)
            extendLifetime(residual)
        }
        try product(call, checkpoint: checkpoint)
        return out
    }

    /// All of `call` as a product, in parts of pixels and channels.
    func product(_ call: ck_convolution, checkpoint: InterruptionCheck) throws(Interrupted) {
        let (rows, columns) = (Int(call.out_height * call.out_width), Int(call.weights.rows))
        let height = Int(CK_PRODUCT_ROWS)
        let rowParts = (rows + height - 1) / height
        // Narrow parts read the rows more often, but a few wide ones leave a thread idle at the end.
        let width = rowParts * columns > 16 * Int(CK_PRODUCT_COLUMNS) ? Int(CK_PRODUCT_COLUMNS) : 64
        let columnParts = (columns + width - 1) / width
        let perThread = Int(CK_PRODUCT_SCRATCH)
        let scratch = workspace.take(.threads, count: pool.threadCount * perThread, as: Float.self)
        let kernel = convolutionKernels.pointee.product
        try pool.run(parts: rowParts * columnParts, checkpoint: checkpoint) { part, thread in
            let first = part / columnParts * rows / rowParts
            let last = (part / columnParts + 1) * rows / rowParts
            let column = part % columnParts * width
            withUnsafePointer(to: call) {
                kernel(
                    $0, Int64(first), Int64(last - first), Int64(column), Int64(min(width, columns - column)),
                    scratch + thread * perThread)
            }
        }
    }
}
