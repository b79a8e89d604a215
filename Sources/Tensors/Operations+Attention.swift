import CKernels
import Glibc

extension Operations {
    /// Writes `keys` and `values` [S, K * D] of positions from `start` on into `cache`.
    public func store(keys: Tensor, values: Tensor, at start: Int, in cache: AttentionCache) {
        let columns = cache.kvHeadCount * cache.headDim
        precondition(keys.columns == columns && values.columns == columns, "keys of another size")
        precondition(keys.rows == values.rows && start >= 0, "as many values as keys")
        precondition(start + keys.rows <= cache.capacity, "the attention cache is full")
        let view = cache.kernelView
        let store = kernels.pointee.store
        // Whole blocks of positions go to one thread: they share cache lines.
        let firstBlock = start / AttentionCache.blockLength
        let blocks =
            (start + keys.rows + AttentionCache.blockLength - 1) / AttentionCache.blockLength - firstBlock
        pool.run(parts: keys.rows > 0 ? blocks : 0) { part in
            let block = (firstBlock + part) * AttentionCache.blockLength
            for position in max(start, block)..<min(start + keys.rows, block + AttentionCache.blockLength) {
                let offset = (position - start) * columns
                withUnsafePointer(to: view) {
                    store($0, Int64(position), keys.pointer + offset, values.pointer + offset)
                }
            }
        }
        extendLifetime(cache)
    }

    /// `out` [S, H * D]: causal grouped-query attention of `q` [S, H * D] at positions from `start` on.
    ///
    /// Query s sees cache rows 0...start + s, which must have been stored. Scores are multiplied by `scale`; sums are
    /// f32, with an online softmax (Milakov and Gimelshein 2018). A head's keys and values are read once for all query
    /// heads of its group. Long contexts are split into ranges of positions whose partial results are then joined in
    /// order.
    /// - Throws: `Interrupted` when `checkpoint` does; `out` is then unspecified.
    public func attention(
        _ q: Tensor, over cache: AttentionCache, from start: Int, headCount: Int, scale: Float,
        into out: Tensor,
        checkpoint: InterruptionCheck
    ) throws(Interrupted) {
        let plan = AttentionPlan(rows: q.rows, start: start, headCount: headCount, cache: cache)
        precondition(
            q.columns == headCount * cache.headDim && out.columns == q.columns, "queries of another size")
        precondition(
            out.rows >= q.rows && start >= 0 && start + q.rows <= cache.capacity, "queries beyond the cache")
        guard q.rows > 0 else { return }
        let dim = plan.paddedDim
        let queries = workspace.take(.queries, count: q.rows * headCount * dim, as: Float.self)
        let slots = plan.partialSlots(threadCount: pool.threadCount)
        let partials = workspace.take(.partials, count: slots * plan.partialCount, as: Float.self)
        let view = cache.kernelView
        let kernel = kernels.pointee.attention
        gather(q, scale: scale, plan: plan, into: queries)
        try pool.run(parts: plan.parts, checkpoint: checkpoint) { part, thread in
            let pieces = plan.pieces(of: part)
            let own = partials + (plan.splitsRanges ? part : thread * plan.ranges) * plan.partialCount
            for (index, piece) in pieces.enumerated() {
                let sums = own + index * plan.partialCount
                let maxima = sums + plan.maximumRows * dim
                let limits = plan.limits(of: piece)
                withUnsafePointer(to: view) {
                    kernel(
                        $0, Int32(piece.head), queries + plan.queryOffset(of: piece), Int32(limits.count),
                        limits, Int64(piece.positions.lowerBound), Int64(piece.positions.upperBound), sums,
                        maxima, maxima + plan.maximumRows)
                }
            }
            if !plan.splitsRanges || plan.ranges == 1 { join(pieces, plan: plan, partials: own, into: out) }
        }
        if plan.splitsRanges, plan.ranges > 1 {
            for first in stride(from: 0, to: plan.parts, by: plan.ranges) {
                join(
                    plan.pieces(ofTile: first / plan.ranges), plan: plan,
                    partials: partials + first * plan.partialCount, into: out)
            }
        }
        extendLifetime(cache)
    }

    /// Orders queries [S, H, D] as [K, S, G, padded D], scaled: the rows that one key/value head serves together.
    private func gather(
        _ q: Tensor, scale: Float, plan: AttentionPlan, into queries: UnsafeMutablePointer<Float>
    ) {
        let (dim, padded, group) = (plan.headDim, plan.paddedDim, plan.groupSize)
        forRows(q.rows, columns: q.columns) { row in
            for head in 0..<plan.headCount {
                let source = q.pointer + row * q.columns + head * dim
                let target = queries + (((head / group) * q.rows + row) * group + head % group) * padded
                for i in 0..<dim { target[i] = source[i] * scale }
                for i in dim..<padded { target[i] = 0 }
            }
        }
    }

    /// Joins the partial results of one tile's ranges, in order, into the tile's rows of `out`.
    private func join(
        _ pieces: [AttentionPlan.Piece], plan: AttentionPlan, partials: UnsafeMutablePointer<Float>,
        into out: Tensor
    ) {
        let piece = pieces[0]
        let ranges = pieces.count
        let dim = plan.paddedDim
        for row in 0..<piece.queries.count * plan.groupSize {
            var maximum = -Float.infinity
            for range in 0..<ranges {
                maximum = max(maximum, partials[range * plan.partialCount + plan.maximumRows * dim + row])
            }
            let head = piece.head * plan.groupSize + row % plan.groupSize
            let position = piece.queries.lowerBound + row / plan.groupSize
            let target = out.pointer + position * out.columns + head * plan.headDim
            var total: Float = 0
            for range in 0..<ranges {
                let sums = partials + range * plan.partialCount
                let maxima = sums + plan.maximumRows * dim
                let factor = ranges == 1 ? 1 : expf(maxima[row] - maximum)
                total += factor * maxima[plan.maximumRows + row]
                if range == 0 {
                    for i in 0..<plan.headDim { target[i] = factor * sums[row * dim + i] }
                } else {
                    for i in 0..<plan.headDim { target[i] += factor * sums[row * dim + i] }
                }
            }
            for i in 0..<plan.headDim { target[i] /= total }
        }
    }
}
