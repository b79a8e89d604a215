/// Cuts what is hashed into blocks of 64 bytes, as all of the SHA family up to SHA-256 do.
struct BlockBuffer: Sendable {
    static let blockSize = 64

    /// Bytes that do not fill a block yet.
    private var pending: [UInt8] = []
    private var byteCount: UInt64 = 0

    /// Takes more bytes in, and hands on the blocks that are full.
    mutating func update(_ bytes: UnsafeRawBufferPointer, compress: (UnsafeRawBufferPointer) -> Void) {
        byteCount &+= UInt64(bytes.count)
        var rest = bytes[...]
        if !pending.isEmpty {
            let missing = min(Self.blockSize - pending.count, rest.count)
            pending += rest.prefix(missing)
            rest = rest.dropFirst(missing)
            guard pending.count == Self.blockSize else { return }
            pending.withUnsafeBytes { compress($0) }
            pending.removeAll(keepingCapacity: true)
        }
        while rest.count >= Self.blockSize {
            compress(UnsafeRawBufferPointer(rebasing: rest.prefix(Self.blockSize)))
            rest = rest.dropFirst(Self.blockSize)
        }
        pending += rest
    }

    /// What fills the last block: a one bit, zeros up to its last eight bytes, and the length in bits.
    var padding: [UInt8] {
        let bitCount = byteCount &* 8
        let zeros = (2 * Self.blockSize - 9 - pending.count) % Self.blockSize
        let length = (0..<8).map { UInt8(truncatingIfNeeded: bitCount >> (56 - 8 * $0)) }
        return [0x80] + [UInt8](repeating: 0, count: zeros) + length
    }
}
