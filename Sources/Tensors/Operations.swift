import CKernels

/// The operations that models speak, over one pool of threads.
///
/// S is the number of rows (new tokens). Results are the same bits at any thread count. One operation runs at a time.
public struct Operations: Sendable {
    /// Levels of instruction sets that the kernels exist for.
    public enum InstructionSet: Sendable, CaseIterable {
        case scalar, avx2, avx512, neon, dotprod

        /// The widest that this machine runs.
        public static var best: InstructionSet {
            switch ck_best_isa() {
            case CK_ISA_AVX512_VNNI: .avx512
            case CK_ISA_AVX2: .avx2
            case CK_ISA_NEON: .neon
            case CK_ISA_NEON_DOTPROD: .dotprod
            default: .scalar
            }
        }

        var kernelLevel: ck_isa {
            switch self {
            case .scalar: CK_ISA_SCALAR
            case .avx2: CK_ISA_AVX2
            case .avx512: CK_ISA_AVX512_VNNI
            case .neon: CK_ISA_NEON
            case .dotprod: CK_ISA_NEON_DOTPROD
            }
        }
    }

    /// The threads that the work is spread over.
    public let pool: WorkerPool
    nonisolated(unsafe) let kernels: UnsafePointer<ck_kernels>
    nonisolated(unsafe) let pictureKernels: UnsafePointer<ck_picture_kernels>
    nonisolated(unsafe) let convolutionKernels: UnsafePointer<ck_convolution_kernels>
    let workspace = Workspace()
    private let arena = MemoryArena()
    /// How activations are rounded for quantised weights.
    public internal(set) var activationPrecision = ActivationPrecision.bits8

    /// Operations on `pool` with the widest instruction set of this machine, or a lower one.
    public init(pool: WorkerPool, instructionSet: InstructionSet = .best) {
        self.pool = pool
        kernels = ck_kernels_for(instructionSet.kernelLevel)
        pictureKernels = ck_picture_kernels_for(instructionSet.kernelLevel)
        convolutionKernels = ck_convolution_kernels_for(instructionSet.kernelLevel)
    }

    // MARK: - Memory

    /// Memory for `[rows, columns]` elements that are not set yet, out of what earlier tensors gave back.
    public func makeTensor(rows: Int, columns: Int) -> Tensor {
        Tensor(rows: rows, columns: columns, in: arena)
    }

    /// Gives the memory of tensors that have gone back to the system, instead of keeping it for the next ones.
    ///
    /// - Parameter limit: Bytes that may stay: where there are no more, nothing is given back.
    public func releaseMemory(keeping limit: Int = 0) {
        if arena.keptBytes > limit { arena.releaseAll() }
    }

    /// What of such memory is kept for the next tensors, in bytes.
    public var keptBytes: Int { arena.keptBytes }

    // MARK: - Rows

    /// Rows of `table` [vocabulary, hidden] for `tokens` [S], as f32, into `x` [S, hidden].
    public func embed(_ tokens: [Int32], from table: WeightTensor, into x: Tensor) {
        precondition(x.rows >= tokens.count && x.columns == table.columns, "embedding of another size")
        forRows(tokens.count, columns: x.columns) { row in
            let token = Int(tokens[row])
            precondition((0..<table.rows).contains(token), "token beyond the vocabulary")
            table.dequantize(row: token, into: x.pointer + row * x.columns)
        }
    }

    /// `y` [S, n] = `x` / rms(`x`) * `weight` [1, n], row by row (Zhang and Sennrich 2019).
    public func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Float, into y: Tensor) {
        precondition(
            weight.rows * weight.columns == x.columns && y.columns == x.columns && y.rows >= x.rows,
            "norm of another size")
        let norm = kernels.pointee.rms_norm
        forRows(x.rows, columns: x.columns) { row in
            let offset = row * x.columns
            norm(x.pointer + offset, weight.pointer, epsilon, Int64(x.columns), y.pointer + offset)
        }
    }

    /// `y` = silu(`gate`) * `up`, all [S, n]; `y` may be one of the others.
    public func siluMultiply(_ gate: Tensor, _ up: Tensor, into y: Tensor) {
        precondition(gate.columns == up.columns && up.columns == y.columns, "gate of another size")
        precondition(up.rows >= gate.rows && y.rows >= gate.rows, "gate of another size")
        let multiply = kernels.pointee.silu_multiply
        forRows(gate.rows, columns: gate.columns) { row in
            let offset = row * gate.columns
            multiply(gate.pointer + offset, up.pointer + offset, Int64(gate.columns), y.pointer + offset)
        }
    }

    /// `y` += `x`, both [S, n].
    public func add(_ x: Tensor, to y: Tensor) {
        precondition(x.columns == y.columns && y.rows >= x.rows, "sum of tensors of different sizes")
        let add = kernels.pointee.add
        forRows(x.rows, columns: x.columns) { row in
            add(x.pointer + row * x.columns, Int64(x.columns), y.pointer + row * x.columns)
        }
    }

    /// Rotary position embedding in place: row s of `x` [S, H * D] is at the s-th of `positions`.
    public func rotate(
        _ x: Tensor, headCount: Int, headDim: Int, positions: Range<Int>, by embedding: RotaryTable
    ) {
        let half = embedding.inverseFrequencies.count
        precondition(x.columns == headCount * headDim && 2 * half <= headDim, "heads of another size")
        precondition(x.rows >= positions.count, "more positions than rows")
        let rotate = kernels.pointee.rotate
        forRows(positions.count, columns: x.columns) { row in
            let angles = embedding.angles(at: positions.lowerBound + row)
            rotate(
                x.pointer + row * x.columns, Int32(headCount), Int32(headDim), angles, angles + half,
                Int32(half), embedding.pairing == .interleaved)
        }
    }

    /// Calls `body` for every row, spread over the pool where that pays.
    func forRows(_ rows: Int, columns: Int, _ body: (Int) -> Void) {
        let tiles = RowTiles(rows: rows, columns: columns)
        pool.run(parts: tiles.count) { part in
            for row in tiles[part] { body(row) }
        }
    }

    /// Like `forRows(_:columns:_:)`, calling `checkpoint` between parts.
    func forRows(
        _ rows: Int, columns: Int, checkpoint: InterruptionCheck, _ body: (Int) -> Void
    ) throws(Interrupted) {
        let tiles = RowTiles(rows: rows, columns: columns)
        try pool.run(parts: tiles.count, checkpoint: checkpoint) { part in
            for row in tiles[part] { body(row) }
        }
    }
}
