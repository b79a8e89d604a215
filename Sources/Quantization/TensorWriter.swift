import Synchronization
import Tensors

/// Turns one tensor into its new type, some rows at a time.
struct TensorWriter {
    private let part: ModelSource.Part
    private let encoder: BlockEncoder
    private let file: String
    private let rowBytes: Int
    private let slabRows: Int

    init(_ part: ModelSource.Part, as type: ElementType, file: String, slabBytes: Int) {
        guard let encoder = BlockEncoder(type), let bytes = type.byteCount(of: part.tensor.columns) else {
            preconditionFailure("a type that rows are not made of")
        }
        self.part = part
        self.encoder = encoder
        self.file = file
        rowBytes = bytes
        slabRows = max(1, slabBytes / max(bytes, 1))
    }

    /// Hands each slab of rows to `receive`, with the bytes of the source that it was made of.
    func write(
        pool: WorkerPool, checkpoint: InterruptionCheck,
        _ receive: (UnsafeRawBufferPointer, Int) throws -> Void
    ) throws {
        let tensor = part.tensor
        let sourceRowBytes = tensor.bytes.count / max(tensor.rows, 1)
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(slabRows, tensor.rows) * rowBytes, alignment: 64)
        defer { memory.deallocate() }
        var first = 0
        while first < tensor.rows {
            let rows = first..<min(first + slabRows, tensor.rows)
            try encode(rows, into: memory, pool: pool, checkpoint: checkpoint)
            let slab = UnsafeRawBufferPointer(rebasing: memory[..<(rows.count * rowBytes)])
            try receive(slab, rows.count * sourceRowBytes)
            first = rows.upperBound
        }
    }

    /// Rows in parts of about 16,384 numbers, some milliseconds of work each.
    private func encode(
        _ rows: Range<Int>, into memory: UnsafeMutableRawBufferPointer, pool: WorkerPool,
        checkpoint: InterruptionCheck
    ) throws {
        guard let base = memory.baseAddress else { return }
        let rowsPerPart = max(1, 16_384 / part.tensor.columns)
        let wrong = Atomic<Int>(-1)
        nonisolated(unsafe) let target = base
        try checkpoint()
        try pool.run(parts: (rows.count + rowsPerPart - 1) / rowsPerPart, checkpoint: checkpoint) { number in
            let start = rows.lowerBound + number * rowsPerPart
            for row in start..<min(start + rowsPerPart, rows.upperBound) {
                if !encode(row, into: target + (row - rows.lowerBound) * rowBytes) {
                    wrong.store(row, ordering: .relaxed)
                }
            }
        }
        let row = wrong.load(ordering: .relaxed)
        guard row < 0 else {
            throw QuantizationError.invalidNumbers(
                file: file, tensor: part.name, row: row, type: encoder.type.rawValue.uppercased())
        }
    }

    /// False when a number is not finite or too large.
    private func encode(_ row: Int, into target: UnsafeMutableRawPointer) -> Bool {
        let columns = part.tensor.columns
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: columns) { numbers in
            guard let start = numbers.baseAddress else { return true }
            part.tensor.dequantize(row: part.order?(row) ?? row, into: start)
            var allFinite = true
            for index in 0..<columns where !start[index].isFinite { allFinite = false }
            return encoder.encode(UnsafeBufferPointer(numbers), into: target) && allFinite
        }
    }
}
