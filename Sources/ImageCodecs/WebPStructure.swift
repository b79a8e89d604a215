internal import CImageCodecs

/// The chunks of a WebP file, walked once before libwebp decodes it.
///
/// What is decided here: that the file is whole, that it is one picture, and how big it is.
struct WebPStructure {
    /// In pixels.
    let width: Int
    /// In pixels.
    let height: Int
    /// 3 without, 4 with transparency.
    let channels: Int
    /// Bytes up to the end that the file's head names.
    let count: Int
    /// Metadata: where their contents are.
    private(set) var metadata: [(name: String, contents: Range<Int>)] = []

    init(_ file: [UInt8], _ limits: DecodingLimits) throws(ImageCodecError) {
        try limits.check("size in bytes", file.count, limits.fileBytes, .webp)
        guard ImageFormat(sniffing: file) == .webp else {
            throw .damaged(format: .webp, expected: "its signature", found: "other bytes")
        }
        count = 8 + file.littleEndian32(at: 4)
        guard count <= file.count else {
            throw .truncated(format: .webp, expected: count, found: file.count)
        }
        var ancillaryBytes = file.count - count
        var (position, chunkCount) = (12, 0)
        while position < count {
            guard count - position >= 8 else {
                throw .truncated(format: .webp, expected: position + 8, found: count)
            }
            let name = String(decoding: file[position..<position + 4], as: UTF8.self)
            let length = file.littleEndian32(at: position + 4)
            guard length <= count - position - 8 else {
                throw .truncated(format: .webp, expected: position + 8 + length, found: count)
            }
            let contents = position + 8..<position + 8 + length
            chunkCount += 1
            try limits.check("number of chunks", chunkCount, limits.chunks, .webp)
            switch name {
            case "VP8 ", "VP8L", "VP8X", "ALPH": break
            case "ANIM", "ANMF": throw .animated(format: .webp)
            default:
                if ["EXIF", "XMP "].contains(name) { metadata.append((name, contents)) }
                ancillaryBytes += 8 + length
            }
            try limits.check("metadata", ancillaryBytes, limits.ancillaryBytes, .webp)
            // An odd length is followed by a byte that counts for nothing.
            position = contents.upperBound + length % 2
        }
        let features = try Self.features(file, count)
        guard !features.is_animated else { throw .animated(format: .webp) }
        (width, height, channels) = (Int(features.width), Int(features.height), features.has_alpha ? 4 : 3)
        guard width > 0, height > 0 else {
            throw .damaged(format: .webp, expected: "pixels", found: "\(width) x \(height)")
        }
        try limits.check(width: width, height: height, .webp)
    }

    private static func features(
        _ file: [UInt8], _ count: Int
    ) throws(ImageCodecError) -> cic_webp_features {
        var features = cic_webp_features()
        let reason = failureMessage { message in
            file.withUnsafeBufferPointer {
                cic_webp_read_features($0.baseAddress!, count, &features, message)
            }
        }
        if let reason { throw .undecodable(format: .webp, reason: reason) }
        return features
    }
}
