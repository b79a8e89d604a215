import Tensors

/// Memory of weights that lie in no file.
final class WeightMemory: Sendable {
    nonisolated(unsafe) let bytes: UnsafeMutableRawBufferPointer

    init(byteCount: Int) {
        bytes = .allocate(byteCount: byteCount, alignment: 64)
    }

    deinit { bytes.deallocate() }

    /// The weights that were written to this memory.
    func tensor(_ type: ElementType, shape: [Int]) -> WeightTensor {
        WeightTensor(type: type, shape: shape, bytes: UnsafeRawBufferPointer(bytes), owner: self)
    }
}

extension WeightTensor {
    /// The transpose of a matrix, in memory of its own; for types without blocks.
    func transposed() -> WeightTensor {
        guard shape.count == 2, type.blockLength == 1 else { return self }
        let (rows, columns, size) = (self.rows, self.columns, type.blockBytes)
        let memory = WeightMemory(byteCount: bytes.count)
        for row in 0..<rows {
            for column in 0..<columns {
                let source = UnsafeRawBufferPointer(
                    rebasing: bytes[(row * columns + column) * size..<(row * columns + column + 1) * size])
                let target = (column * rows + row) * size
                UnsafeMutableRawBufferPointer(rebasing: memory.bytes[target..<target + size])
                    .copyMemory(from: source)
            }
        }
        return memory.tensor(type, shape: [columns, rows])
    }
}
