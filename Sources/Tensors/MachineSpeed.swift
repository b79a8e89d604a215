/// How fast this machine is at what bounds models: reading memory, and multiplying.
///
/// Short measurements on a pool that has nothing else to do; other work of the machine makes them lower.
public enum MachineSpeed {
    /// Bytes that are read of memory in a second, by all threads together, the best of three passes.
    ///
    /// - Parameters:
    ///   - pool: what reads.
    ///   - byteCount: how much is read, which should be more than all caches; a multiple of 4 MiB.
    ///   - checkpoint: called between parts.
    /// - Returns: bytes a second.
    /// - Throws: `Interrupted` when `checkpoint` does.
    public static func bandwidth(
        pool: WorkerPool, byteCount: Int = 256 << 20, checkpoint: InterruptionCheck = {}
    ) throws(Interrupted) -> Double {
        let partBytes = 4 << 20
        let parts = max(1, byteCount / partBytes)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: parts * partBytes, alignment: 64)
        defer { memory.deallocate() }
        nonisolated(unsafe) let start = memory
        // The pages must be there before they are read.
        try pool.run(parts: parts, checkpoint: checkpoint) { part in
            start.advanced(by: part * partBytes)
                .initializeMemory(
                    as: UInt8.self, repeating: UInt8(truncatingIfNeeded: part), count: partBytes)
        }
        let sums = UnsafeMutablePointer<UInt64>.allocate(capacity: parts)
        defer { sums.deallocate() }
        nonisolated(unsafe) let results = sums
        var best = Duration.seconds(3600)
        for _ in 0..<3 {
            let begin = ContinuousClock.now
            try pool.run(parts: parts, checkpoint: checkpoint) { part in
                results.advanced(by: part)
                    .initialize(to: sum(start.advanced(by: part * partBytes), partBytes))
            }
            best = min(best, ContinuousClock.now - begin)
        }
        return Double(parts * partBytes) / best.inSeconds
    }

    /// Four sums at once, so that each add waits for memory and not for the one before.
    private static func sum(_ memory: UnsafeMutableRawPointer, _ byteCount: Int) -> UInt64 {
        let vectors = memory.assumingMemoryBound(to: SIMD8<UInt64>.self)
        var (a, b, c, d) = (
            SIMD8<UInt64>.zero, SIMD8<UInt64>.zero, SIMD8<UInt64>.zero, SIMD8<UInt64>.zero
        )
        for index in stride(from: 0, to: byteCount / 64, by: 4) {
            a &+= vectors[index]
            b &+= vectors[index + 1]
            c &+= vectors[index + 2]
            d &+= vectors[index + 3]
        }
        return (a &+ b &+ c &+ d).wrappedSum()
    }

    /// Multiplications and additions in a second, in f32 with weights of 16 bits.
    ///
    /// Those of a 3 × 3 convolution of 320 channels over 64 × 64 pixels as it is defined count, however it is computed;
    /// latent diffusion consists mostly of these.
    ///
    /// - Throws: `Interrupted` when `checkpoint` does.
    public static func convolutions(
        _ operations: Operations, checkpoint: InterruptionCheck = {}
    ) throws(Interrupted) -> Double {
        let (channels, side) = (320, 64)
        let weights = Zeros(byteCount: channels * channels * 9 * 2)
        let convolution = operations.convolution(
            WeightTensor(
                type: .f16, shape: [channels, channels, 3, 3], bytes: weights.bytes, owner: weights),
            bias: nil, padding: .all(1))
        let map = FeatureMap(
            height: side, width: side, pixels: Tensor(rows: side * side, columns: channels))
        var best = Duration.seconds(3600)
        for _ in 0..<3 {
            let begin = ContinuousClock.now
            _ = try operations.convolve(map, by: convolution, checkpoint: checkpoint)
            best = min(best, ContinuousClock.now - begin)
        }
        operations.releaseMemory()
        return Double(2 * channels * channels * 9 * side * side) / best.inSeconds
    }

    /// Weights that are nothing: how long a product takes doesn't depend on them.
    private final class Zeros: Sendable {
        nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

        init(byteCount: Int) {
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
            memory.initializeMemory(as: UInt8.self, repeating: 0)
            bytes = UnsafeRawBufferPointer(memory)
        }

        deinit { bytes.deallocate() }
    }
}

extension Duration {
    fileprivate var inSeconds: Double {
        max(1e-9, Double(components.seconds) + Double(components.attoseconds) * 1e-18)
    }
}
