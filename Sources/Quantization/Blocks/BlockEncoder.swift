public import Tensors

/// Turns rows of numbers into the blocks of one type, to the bit as ggml's reference quantisers do without an importance
/// matrix.
///
/// Every sum has ggml's order, and no product is fused into one: lanes of a vector are different sub-blocks, never parts
/// of one sum.
public struct BlockEncoder: Sendable {
    /// The type of the blocks.
    public let type: ElementType
    private let encodeBlock: @Sendable (UnsafePointer<Float>, UnsafeMutableRawPointer) -> Bool

    /// The types that can be written.
    public static let types: [ElementType] = [.f32, .f16, .bf16, .q40, .q50, .q80, .q4K, .q5K, .q6K]

    /// An encoder of one of `types`; nil for another.
    public init?(_ type: ElementType) {
        switch type {
        case .f32: encodeBlock = PlainNumbers.encodeF32
        case .f16: encodeBlock = PlainNumbers.encodeF16
        case .bf16: encodeBlock = PlainNumbers.encodeBF16
        case .q40: encodeBlock = SmallBlocks.encodeQ40
        case .q50: encodeBlock = SmallBlocks.encodeQ50
        case .q80: encodeBlock = SmallBlocks.encodeQ80
        case .q4K: encodeBlock = { ScaleMinBlocks.q4K.encode($0, into: $1) }
        case .q5K: encodeBlock = { ScaleMinBlocks.q5K.encode($0, into: $1) }
        case .q6K: encodeBlock = SignedScaleBlocks.encodeQ6K
        case .q41, .q51, .q2K, .q3K, .iq4NL, .iq4XS: return nil
        }
        self.type = type
    }

    /// Encodes a row.
    ///
    /// - Parameters:
    ///   - row: as many numbers as make whole blocks, all finite.
    ///   - target: where `type.byteCount(of: row.count)` bytes are written.
    /// - Returns: false when a number, or the scale of a block, is too large for the type.
    public func encode(_ row: UnsafeBufferPointer<Float>, into target: UnsafeMutableRawPointer) -> Bool {
        precondition(row.count % type.blockLength == 0, "a row of whole blocks")
        guard let source = row.baseAddress else { return true }
        var fits = true
        for block in 0..<row.count / type.blockLength {
            let numbers = source + block * type.blockLength
            if !encodeBlock(numbers, target + block * type.blockBytes) { fits = false }
        }
        return fits
    }
}

/// Numbers that stand for themselves.
enum PlainNumbers {
    static func encodeF32(_ source: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer) -> Bool {
        target.storeBytes(of: source.pointee.bitPattern.littleEndian, as: UInt32.self)
        return true
    }

    static func encodeF16(_ source: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer) -> Bool {
        storeHalf(source.pointee, target)
    }

    /// Rounds to the nearest, ties to even.
    static func encodeBF16(_ source: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer) -> Bool {
        let bits = source.pointee.bitPattern
        let rounded = (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16
        target.storeBytes(of: UInt16(truncatingIfNeeded: rounded).littleEndian, as: UInt16.self)
        return rounded & 0x7F80 != 0x7F80
    }
}

/// Writes a number as a half; false when it becomes infinite.
func storeHalf(_ number: Float, _ target: UnsafeMutableRawPointer) -> Bool {
    let half = Float16(number)
    target.storeBytes(of: half.bitPattern.littleEndian, as: UInt16.self)
    return half.isFinite
}
