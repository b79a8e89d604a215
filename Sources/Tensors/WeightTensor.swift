/// Read-only weights in their file's own type, over memory that an owner keeps alive (usually a mapped file).
public struct WeightTensor: Sendable {
    /// How the elements are stored.
    public let type: ElementType
    /// Outermost dimension first (row-major): `[rows, columns]`; a vector is `[count]`.
    public let shape: [Int]
    /// The elements, `type.byteCount(of:)` of them; valid as long as this value lives.
    nonisolated(unsafe) public let bytes: UnsafeRawBufferPointer
    private let owner: any AnyObject & Sendable

    /// Weights at `bytes`, which `owner` keeps alive and nobody writes to.
    public init(
        type: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer, owner: any AnyObject & Sendable
    ) {
        self.type = type
        self.shape = shape
        self.bytes = bytes
        self.owner = owner
    }

    /// The product of all dimensions but the last; 1 for a vector.
    public var rows: Int { shape.dropLast().reduce(1, *) }

    /// The last dimension.
    public var columns: Int { shape.last ?? 1 }
}
