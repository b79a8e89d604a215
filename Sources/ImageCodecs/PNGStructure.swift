/// The chunks of a PNG file, walked once before libpng sees it.
///
/// What is decided here: that the file is whole, that it is one picture, and how big it is. Checksums, colours and
/// the compressed data are libpng's matter.
struct PNGStructure {
    /// In pixels.
    private(set) var width = 0
    /// In pixels.
    private(set) var height = 0
    /// 3 without, 4 with transparency.
    private(set) var channels = 3
    /// Where the last chunk of picture data ends.
    private(set) var dataEnd = 0
    /// Text chunks: where their contents are.
    private(set) var texts: [(name: String, contents: Range<Int>)] = []

    /// Deflate makes at most this many bytes of one.
    private static let largestExpansion = 1032

    init(_ file: [UInt8], _ limits: DecodingLimits) throws(ImageCodecError) {
        try limits.check("size in bytes", file.count, limits.fileBytes, .png)
        guard file.starts(with: PNG.signature) else {
            throw .damaged(format: .png, expected: "its signature", found: "other bytes")
        }
        var position = PNG.signature.count
        var (chunkCount, dataBytes, ancillaryBytes, bitsPerPixel) = (0, 0, 0, 0)
        var isEnded = false
        while !isEnded {
            guard file.count - position >= 12 else {
                throw .truncated(format: .png, expected: position + 12, found: file.count)
            }
            let length = file.bigEndian32(at: position)
            guard length <= file.count - position - 12 else {
                throw .truncated(format: .png, expected: position + 12 + length, found: file.count)
            }
            let name = try Self.name(file[position + 4..<position + 8])
            let contents = position + 8..<position + 8 + length
            guard (position == PNG.signature.count) == (name == "IHDR") else {
                throw .damaged(format: .png, expected: "one IHDR chunk, at the start", found: name)
            }
            chunkCount += 1
            try limits.check("number of chunks", chunkCount, limits.chunks, .png)
            switch name {
            case "IHDR": bitsPerPixel = try readHead(file, contents, limits)
            case "IDAT": (dataBytes, dataEnd) = (dataBytes + length, contents.upperBound + 4)
            case "IEND": isEnded = true
            case "PLTE": break
            case "acTL", "fcTL", "fdAT": throw .animated(format: .png)
            default:
                if name == "tRNS" { channels = 4 }
                if ["tEXt", "iTXt", "zTXt"].contains(name) { texts.append((name, contents)) }
                ancillaryBytes += 12 + length
                try limits.check("metadata", ancillaryBytes, limits.ancillaryBytes, .png)
            }
            position = contents.upperBound + 4
        }
        try limits.check(
            "metadata", ancillaryBytes + file.count - position, limits.ancillaryBytes, .png)
        // Whoever claims more than the data can hold gets no memory for it.
        let leastBytes = (width * height * bitsPerPixel / 8) / Self.largestExpansion
        guard dataBytes > leastBytes else {
            throw .damaged(
                format: .png, expected: "more than \(leastBytes) bytes of picture data", found: "\(dataBytes)"
            )
        }
    }

    /// Reads IHDR and returns the bits of one pixel.
    private mutating func readHead(
        _ file: [UInt8], _ contents: Range<Int>, _ limits: DecodingLimits
    ) throws(ImageCodecError) -> Int {
        guard contents.count == 13 else {
            throw .damaged(
                format: .png, expected: "an IHDR chunk of 13 bytes", found: "one of \(contents.count)")
        }
        width = file.bigEndian32(at: contents.lowerBound)
        height = file.bigEndian32(at: contents.lowerBound + 4)
        guard width > 0, height > 0 else {
            throw .damaged(format: .png, expected: "pixels", found: "\(width) x \(height)")
        }
        try limits.check(width: width, height: height, .png)
        let (depth, colorType) = (Int(file[contents.lowerBound + 8]), file[contents.lowerBound + 9])
        if colorType & 4 != 0 { channels = 4 }
        switch colorType {
        case 0, 3: return depth
        case 2: return 3 * depth
        case 4: return 2 * depth
        case 6: return 4 * depth
        default:
            throw .damaged(format: .png, expected: "a colour type of 0, 2, 3, 4 or 6", found: "\(colorType)")
        }
    }

    private static func name(_ bytes: ArraySlice<UInt8>) throws(ImageCodecError) -> String {
        guard bytes.allSatisfy({ (0x41...0x5A).contains($0 & 0xDF) && $0 & 0x80 == 0 }) else {
            throw .damaged(
                format: .png, expected: "a chunk's name of four letters",
                found: bytes.map { String($0, radix: 16) }.joined(separator: " "))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension [UInt8] {
    /// The number in the four bytes from `index` on, which must be there.
    func bigEndian32(at index: Int) -> Int {
        Int(self[index]) << 24 | Int(self[index + 1]) << 16 | Int(self[index + 2]) << 8 | Int(self[index + 3])
    }

    /// The number in the four bytes from `index` on, which must be there.
    func littleEndian32(at index: Int) -> Int {
        Int(self[index + 3]) << 24 | Int(self[index + 2]) << 16 | Int(self[index + 1]) << 8 | Int(self[index])
    }
}
