/// Read-only weights in their file's own type, over memory that an owner keeps alive (usually a mapped file).
public struct WeightTensor: Sendable {
    /// How the elements are stored.
    public let type: ElementType
    /// Outermost dimension first (row-major): `[rows, columns]`; a vector is `[count]`.
    public let shape: [Int]
    /// The elements, `type.byteCount(of:)` of them unless packed; valid as long as this value lives.
    nonisolated(unsafe) public let bytes: UnsafeRawBufferPointer
    /// Whether the rows are interleaved for the kernels (see `Operations.packed(_:)` and `projection(_:)`).
    public let isPacked: Bool
    let owner: any AnyObject & Sendable

    /// Weights at `bytes`, which `owner` keeps alive and nobody writes to.
    public init(
        type: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer, owner: any AnyObject & Sendable
    ) {
        self.init(type: type, shape: shape, bytes: bytes, isPacked: false, owner: owner)
    }

    init(
        type: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer, isPacked: Bool,
        owner: any AnyObject & Sendable
    ) {
        self.type = type
        self.shape = shape
        self.bytes = bytes
        self.isPacked = isPacked
        self.owner = owner
    }

    /// The same elements in another shape of as many.
    public func reshaped(_ shape: [Int]) -> WeightTensor {
        precondition(
            shape.reduce(1, *) == self.shape.reduce(1, *) && !isPacked, "a shape of as many elements")
        return WeightTensor(type: type, shape: shape, bytes: bytes, isPacked: false, owner: owner)
    }

    /// The product of all dimensions but the last; 1 for a vector.
    public var rows: Int { shape.dropLast().reduce(1, *) }

    /// The last dimension.
    public var columns: Int { shape.last ?? 1 }
}
