@testable import ImageCodecs

/// A PNG or WebP file, chunk by chunk, for files that no encoder writes.
struct ChunkBuilder {
    struct Chunk {
        var name: [UInt8]
        var contents: [UInt8]
        /// `nil` for the right one.
        var length: Int?
        /// Added to the right checksum (PNG).
        var checksumError: UInt32 = 0

        init(_ name: String, _ contents: [UInt8] = []) {
            self.name = Array(name.utf8)
            self.contents = contents
        }
    }

    let format: ImageFormat
    var chunks: [Chunk] = []
    /// Bytes behind the end.
    var trailer: [UInt8] = []

    init(_ format: ImageFormat, _ chunks: [Chunk] = []) {
        self.format = format
        self.chunks = chunks
    }

    /// The chunks of a file that is in order.
    init(parsing file: [UInt8]) {
        format = ImageFormat(sniffing: file) ?? .png
        var position = format == .png ? 8 : 12
        while position < file.count {
            let start = position + (format == .png ? 4 : 0)
            let length =
                format == .png ? file.bigEndian32(at: position) : file.littleEndian32(at: position + 4)
            var chunk = Chunk("")
            chunk.name = Array(file[start..<start + 4])
            chunk.contents = Array(file[position + 8..<position + 8 + length])
            chunks.append(chunk)
            position += 8 + length + (format == .png ? 4 : length % 2)
        }
    }

    func bytes() -> [UInt8] {
        var body: [UInt8] = []
        for chunk in chunks {
            let length = chunk.length ?? chunk.contents.count
            if format == .png {
                let named = chunk.name + chunk.contents
                body += Self.bigEndian(length) + named
                body += Self.bigEndian(Int(Self.checksum(named) &+ chunk.checksumError))
            } else {
                body += chunk.name + Self.bigEndian(length).reversed() + chunk.contents
                if chunk.contents.count % 2 == 1 { body.append(0) }
            }
        }
        if format == .png { return PNG.signature + body + trailer }
        return Array("RIFF".utf8) + Self.bigEndian(body.count + 4).reversed() + Array("WEBP".utf8) + body
            + trailer
    }

    /// IHDR for 8-bit samples.
    static func head(
        _ width: Int, _ height: Int, depth: UInt8 = 8, color: UInt8 = 2, interlaced: UInt8 = 0
    ) -> Chunk {
        Chunk("IHDR", bigEndian(width) + bigEndian(height) + [depth, color, 0, 0, interlaced])
    }

    /// A PNG that promises much.
    static func claim(_ width: Int, _ height: Int, data: [UInt8] = [1, 2, 3, 4]) -> [UInt8] {
        ChunkBuilder(.png, [head(width, height), Chunk("IDAT", data), Chunk("IEND")]).bytes()
    }

    /// A zlib stream of 1 + 258 x `runs` zeros in fixed codes, a hundredth or less as long.
    static func zeros(runs: Int) -> [UInt8] {
        // The last block, fixed codes, a literal zero; then `runs` times a match of 258 bytes at distance 1; an end.
        var bits: [UInt8] = [1, 1, 0] + [0, 0, 1, 1, 0, 0, 0, 0]
        bits.reserveCapacity(13 * runs + 32)
        for _ in 0..<runs { bits += [1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0] }
        bits += [UInt8](repeating: 0, count: 7)
        bits += [UInt8](repeating: 0, count: (8 - bits.count % 8) % 8)
        let data = stride(from: 0, to: bits.count, by: 8).map { start in
            (0..<8).reduce(0) { $0 | bits[start + $1] << UInt8($1) }
        }
        // Adler's sums: of 1 and zeros, and of that over and over.
        return [0x78, 0x01] + data + bigEndian((258 * runs + 1) % 65521 << 16 | 1)
    }

    static func bigEndian(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    /// zlib's CRC-32, bit by bit.
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var value = UInt32.max
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }
        return ~value
    }
}
