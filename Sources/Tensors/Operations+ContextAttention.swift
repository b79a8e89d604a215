import CKernels

// S rows (tokens or pixels), T rows of the context, H heads, D head dimension

extension Operations {
    /// `[S, H * D]`: softmax(`q` kᵀ · `scale`) v for each head, with `q` [S, H * D], `k` and `v` [T, H * D].
    ///
    /// Tiled with an online softmax (Dao et al. 2022): no matrix `[H, S, T]` is ever stored. With `isCausal` the rows
    /// of `q` are the last S of the T, and each sees the rows up to its own only.
    /// - Throws: `Interrupted` when `checkpoint` does.
    public func attention(
        _ q: Tensor, keys k: Tensor, values v: Tensor, headCount: Int, scale: Float, isCausal: Bool = false,
        checkpoint: InterruptionCheck
    ) throws(Interrupted) -> Tensor {
        precondition(
            q.columns == k.columns && k.columns == v.columns && k.rows == v.rows, "heads of equal size")
        precondition(headCount > 0 && q.columns % headCount == 0, "heads of equal size")
        precondition(q.rows == 0 || k.rows > 0, "nothing to attend to")
        precondition(!isCausal || q.rows <= k.rows, "rows that come after the last one")
        let out = makeTensor(rows: q.rows, columns: q.columns)
        let context = PackedContext(k: k, headCount: headCount, operations: self)
        try pack(k, v, into: context, checkpoint: checkpoint)
        let kernels = pictureKernels.pointee
        let rowsPerTile = Int(kernels.attention_rows)
        let tiles = (q.rows + rowsPerTile - 1) / rowsPerTile
        let scratchCount = Int(ck_attention_scratch(Int32(context.headDim), kernels.attention_rows))
        // Head by head, so that its keys and values stay in the caches.
        try pool.run(parts: headCount * tiles, checkpoint: checkpoint) { part in
            let (head, first) = (part / tiles, part % tiles * rowsPerTile)
            let offset = first * q.columns + head * context.headDim
            let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: scratchCount * 4, alignment: 64)
            defer { scratch.deallocate() }
            var view = context.view(of: head)
            kernels.attend(
                &view, q.pointer + offset, Int64(min(rowsPerTile, q.rows - first)), Int64(q.columns), scale,
                Int64(isCausal ? k.rows - q.rows + first + 1 : k.rows), isCausal ? 1 : 0,
                scratch.baseAddress!.assumingMemoryBound(to: Float.self), out.pointer + offset)
        }
        extendLifetime((q, context))
        return out
    }

    /// Brings every head's keys and values into the order that the kernel reads them in.
    private func pack(
        _ k: Tensor, _ v: Tensor, into context: PackedContext, checkpoint: InterruptionCheck
    ) throws(Interrupted) {
        let tilesPerPart = 16
        let tiles = (k.rows + Int(CK_ATTENTION_KEYS) - 1) / Int(CK_ATTENTION_KEYS)
        let parts = (tiles + tilesPerPart - 1) / tilesPerPart
        let packContext = pictureKernels.pointee.pack_context
        try pool.run(parts: context.headCount * parts, checkpoint: checkpoint) { part in
            let (head, first) = (part / parts, part % parts * tilesPerPart)
            var view = context.view(of: head)
            for tile in first..<min(tiles, first + tilesPerPart) {
                let offset = tile * Int(CK_ATTENTION_KEYS) * k.columns + head * context.headDim
                packContext(&view, Int64(tile), k.pointer + offset, v.pointer + offset, Int64(k.columns))
            }
        }
        extendLifetime((k, v))
    }
}

/// Keys and values [H, T, D], in the kernels' order.
private struct PackedContext {
    let headCount: Int
    let headDim: Int
    private let rows: Int
    /// [2 * H, floats of a head]: the keys, then the values.
    private let planes: Tensor

    init(k: Tensor, headCount: Int, operations: Operations) {
        self.headCount = headCount
        headDim = k.columns / headCount
        rows = k.rows
        planes = operations.makeTensor(
            rows: 2 * headCount, columns: Int(ck_context_floats(Int64(k.rows), Int32(headDim))))
    }

    func view(of head: Int) -> ck_context {
        ck_context(
            keys: planes.pointer + head * planes.columns,
            values: planes.pointer + (headCount + head) * planes.columns, rows: Int64(rows),
            head_dim: Int32(headDim))
    }
}
