/// A view of mutable f32 memory `[rows, columns]`, row-major and without gaps.
///
/// Copies refer to the same memory, which begins at a multiple of 64 bytes. It is run state: whoever writes to it must
/// be alone with it, as with any memory; nothing here synchronises.
public struct Tensor: @unchecked Sendable {
    /// The number of rows, often S: one for each new token.
    public let rows: Int
    /// The number of elements in a row.
    public let columns: Int
    private let storage: Storage
    private let offset: Int

    /// Allocates `[rows, columns]` zeros.
    public init(rows: Int, columns: Int) {
        precondition(rows >= 0 && columns >= 0, "a tensor's sizes are not negative")
        self.init(rows: rows, columns: columns, storage: Storage(count: rows * columns), offset: 0)
    }

    /// A copy of `values` as `[1, n]`.
    public init(_ values: [Float]) {
        self.init(rows: 1, columns: values.count)
        _ = floats.update(fromContentsOf: values)
    }

    /// `[rows, columns]` elements that are not set yet, in memory of `arena` that goes back to it with the last tensor
    /// over them.
    init(rows: Int, columns: Int, in arena: MemoryArena) {
        precondition(rows >= 0 && columns >= 0, "a tensor's sizes are not negative")
        self.init(
            rows: rows, columns: columns, storage: Storage(count: rows * columns, arena: arena), offset: 0)
    }

    private init(rows: Int, columns: Int, storage: Storage, offset: Int) {
        self.rows = rows
        self.columns = columns
        self.storage = storage
        self.offset = offset
    }

    /// The first `count` rows: the same memory.
    public func prefix(_ count: Int) -> Tensor {
        precondition((0...rows).contains(count), "prefix beyond the tensor's rows")
        return Tensor(rows: count, columns: columns, storage: storage, offset: offset)
    }

    /// The rows from `first` on: the same memory.
    public func suffix(from first: Int) -> Tensor {
        precondition((0...rows).contains(first), "suffix beyond the tensor's rows")
        return Tensor(
            rows: rows - first, columns: columns, storage: storage, offset: offset + first * columns)
    }

    /// One row as `[1, columns]`: the same memory.
    public subscript(row: Int) -> Tensor {
        precondition((0..<rows).contains(row), "row beyond the tensor")
        return Tensor(rows: 1, columns: columns, storage: storage, offset: offset + row * columns)
    }

    /// All elements, valid as long as the tensor (or one that shares its memory) lives.
    public var floats: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: pointer, count: rows * columns)
    }

    /// Calls `body` with the first element's address.
    public func withUnsafeMutablePointer<R, E: Error>(
        _ body: (UnsafeMutablePointer<Float>) throws(E) -> R
    ) throws(E) -> R {
        defer { extendLifetime(storage) }
        return try body(pointer)
    }

    var pointer: UnsafeMutablePointer<Float> { storage.base + offset }
}

extension Tensor {
    private final class Storage: Sendable {
        nonisolated(unsafe) let base: UnsafeMutablePointer<Float>
        private let origin: (arena: MemoryArena, block: MemoryArena.Block)?

        /// Zeros.
        init(count: Int) {
            base = Self.allocate(count)
            base.initialize(repeating: 0, count: max(count, 1))
            origin = nil
        }

        /// Elements that are not set.
        init(count: Int, arena: MemoryArena) {
            let bytes = count * MemoryLayout<Float>.stride
            guard bytes >= MemoryArena.smallestBlock else {
                base = Self.allocate(count)
                origin = nil
                return
            }
            let block = arena.take(bytes)
            base = block.base.bindMemory(to: Float.self, capacity: count)
            origin = (arena, block)
        }

        deinit {
            if let origin { origin.arena.give(origin.block) } else { base.deallocate() }
        }

        private static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
            let bytes = max(count, 1) * MemoryLayout<Float>.stride
            let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
            return raw.bindMemory(to: Float.self, capacity: max(count, 1))
        }
    }
}
