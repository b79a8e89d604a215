import CKernels

/// How a convolution by Winograd's filtering is cut up; decided by its sizes alone, as measured (docs/kernels.md).
struct WinogradSchedule: Equatable {
    /// Where the transformed weights come from.
    enum Weights { case kept, transient }

    /// Tiles of 4 × 4 pixels that are transformed and multiplied together.
    let tiles: Int
    /// Input channels that are multiplied at a time.
    let depth: Int
    /// Whether the weights are transformed once per call, or for each block of tiles just before their product.
    let weights: Weights

    /// The schedule of `call` for blocks of `columns` output channels; nil where a plain product is faster.
    init?(for call: ck_convolution, columns: Int) {
        let tiles = Self.tileCount(of: call)
        // A tile costs 36 products against 9 for each pixel, and transforming the weights once as much as 240.
        guard call.size == 3, call.stride == 1,
            36 * tiles + 240 < 9 * Int(call.out_height * call.out_width)
        else { return nil }
        depth = 64
        // A few transformed weights stay in the cache, so that tiles can be few and stay there too. Many would take
        // eight times the memory of weights in f16.
        if Int(call.weights.rows) * Int(call.channels) <= 256 * 128 {
            weights = .kept
            self.tiles = min(tiles, 24)
        } else {
            weights = .transient
            self.tiles = min(tiles, 128)
        }
    }

    static func tileCount(of call: ck_convolution) -> Int {
        Int((call.out_height + 3) / 4 * ((call.out_width + 3) / 4))
    }
}

extension Operations {
    /// All of `call` by Winograd's filtering.
    func winograd(
        _ call: ck_convolution, _ schedule: WinogradSchedule, checkpoint: InterruptionCheck
    ) throws(Interrupted) {
        switch schedule.weights {
        case .kept: try winogradByTiles(call, schedule, checkpoint: checkpoint)
        case .transient: try winogradByColumns(call, schedule, checkpoint: checkpoint)
        }
    }

    /// Transforms all weights, then takes a few tiles at a time through everything, so that they stay in the cache.
    private func winogradByTiles(
        _ call: ck_convolution, _ schedule: WinogradSchedule, checkpoint: InterruptionCheck
    ) throws(Interrupted) {
        let sizes = WinogradSizes(call, schedule, columns: Int(convolutionKernels.pointee.columns))
        let weights = workspace.take(.transformedWeights, count: sizes.weights, as: Float.self)
        let perThread = sizes.tiles + sizes.scratch
        let threads = workspace.take(.threads, count: pool.threadCount * perThread, as: Float.self)
        let kernels = convolutionKernels.pointee
        try withUnsafePointer(to: call) { (call) throws(Interrupted) in
            let shared = ck_winograd(
                convolution: call, first: 0, count: 0, depth: Int64(schedule.depth), tiles: threads,
                weights: weights)
            try pool.run(parts: sizes.blocks, checkpoint: checkpoint) { block in
                withUnsafePointer(to: shared) {
                    kernels.transform_weights($0, Int64(block * sizes.columns), weights)
                }
            }
            let count = WinogradSchedule.tileCount(of: call.pointee)
            let parts = (count + schedule.tiles - 1) / schedule.tiles
            try pool.run(parts: parts, checkpoint: checkpoint) { part, thread in
                let memory = threads + thread * perThread
                var work = shared
                work.first = Int64(part * count / parts)
                work.count = Int64((part + 1) * count / parts) - work.first
                work.tiles = memory
                kernels.transform_tiles(&work, 0, work.count)
                kernels.winograd(
                    &work, 0, work.count, 0, call.pointee.weights.rows, memory + sizes.tiles)
            }
        }
    }

    /// Transforms a block of tiles, then multiplies it with a few columns of weights at a time, transformed on the way.
    private func winogradByColumns(
        _ call: ck_convolution, _ schedule: WinogradSchedule, checkpoint: InterruptionCheck
    ) throws(Interrupted) {
        let sizes = WinogradSizes(call, schedule, columns: Int(convolutionKernels.pointee.columns))
        let tiles = workspace.take(.transformedTiles, count: sizes.tiles, as: Float.self)
        let perThread = sizes.scratch
        let threads = workspace.take(.threads, count: pool.threadCount * perThread, as: Float.self)
        let kernels = convolutionKernels.pointee
        try withUnsafePointer(to: call) { (call) throws(Interrupted) in
            let count = WinogradSchedule.tileCount(of: call.pointee)
            let blocks = (count + schedule.tiles - 1) / schedule.tiles
            for block in 0..<blocks {
                let first = block * count / blocks
                let some = (block + 1) * count / blocks - first
                let work = ck_winograd(
                    convolution: call, first: Int64(first), count: Int64(some), depth: Int64(schedule.depth),
                    tiles: tiles, weights: nil)
                let step = 4
                try pool.run(parts: (some + step - 1) / step, checkpoint: checkpoint) { part in
                    withUnsafePointer(to: work) {
                        kernels.transform_tiles($0, Int64(part * step), Int64(min(step, some - part * step)))
                    }
                }
                let outputs = Int(call.pointee.weights.rows)
                try pool.run(parts: sizes.blocks, checkpoint: checkpoint) { part, thread in
                    let column = part * sizes.columns
                    withUnsafePointer(to: work) {
                        kernels.winograd(
                            $0, 0, Int64(some), Int64(column), Int64(min(sizes.columns, outputs - column)),
                            threads + thread * perThread)
                    }
                }
            }
        }
    }
}

/// Floats of memory that a convolution by Winograd's filtering takes.
private struct WinogradSizes {
    /// Output channels of a block, and the number of blocks.
    let columns, blocks: Int
    /// Transformed tiles of one block of them; what a kernel call needs beside; all transformed weights.
    let tiles, scratch, weights: Int

    init(_ call: ck_convolution, _ schedule: WinogradSchedule, columns: Int) {
        let (count, depth) = (Int64(schedule.tiles), Int64(schedule.depth))
        self.columns = columns
        blocks = (Int(call.weights.rows) + columns - 1) / columns
        tiles = Int(ck_winograd_tile_floats(count, call.channels, depth))
        scratch = Int(ck_winograd_scratch_floats(Int64(columns), count, depth))
        weights = blocks * Int(ck_winograd_weight_floats(Int64(columns), call.channels, depth))
    }
}
