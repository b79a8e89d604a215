/// The hash function SHA-1 (FIPS 180-4), for what git names by it.
///
/// It is no defence against somebody who means harm.
public struct SHA1: Sendable {
    private var state: [5 of UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]
    private var blocks = BlockBuffer()

    /// The hash of nothing so far.
    public init() {}

    /// The hash that git gives to a file of so many bytes, once these are taken in.
    public init(gitBlobOfBytes count: Int) {
        update(Array("blob \(count)\0".utf8))
    }

    /// Takes more bytes in.
    public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// Takes more bytes in.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        blocks.update(bytes) { Self.compress($0, &state) }
    }

    /// The hash of what was taken in, 20 bytes.
    public consuming func finish() -> [UInt8] {
        let padding = blocks.padding
        update(padding)
        return state.indices.flatMap { index in
            (0..<4).map { UInt8(truncatingIfNeeded: state[index] >> (24 - 8 * $0)) }
        }
    }

    /// One block of 64 bytes (FIPS 180-4, 6.1.2); the words' names are the standard's.
    private static func compress(_ block: UnsafeRawBufferPointer, _ state: inout [5 of UInt32]) {
        var w = [80 of UInt32](repeating: 0)
        for t in 0..<16 {
            w[t] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: 4 * t, as: UInt32.self))
        }
        for t in 16..<80 {
            let word = w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16]
            w[t] = word << 1 | word >> 31
        }
        var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
        for t in 0..<80 {
            let (f, k): (UInt32, UInt32) =
                switch t {
                case 0..<20: (b & c | ~b & d, 0x5a82_7999)
                case 20..<40: (b ^ c ^ d, 0x6ed9_eba1)
                case 40..<60: (b & c | b & d | c & d, 0x8f1b_bcdc)
                default: (b ^ c ^ d, 0xca62_c1d6)
                }
            let next = (a << 5 | a >> 27) &+ f &+ e &+ k &+ w[t]
            (e, d, c, b, a) = (d, c, b << 30 | b >> 2, a, next)
        }
        state[0] &+= a
        state[1] &+= b
        state[2] &+= c
        state[3] &+= d
        state[4] &+= e
    }
}
