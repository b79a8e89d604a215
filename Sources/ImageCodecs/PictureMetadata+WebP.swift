extension PictureMetadata {
    private static let unicodeComment = Array("UNICODE\0".utf8)

    /// Tags of Exif.
    private enum Tag {
        static let software = 0x0131
        static let exif = 0x8769
        static let userComment = 0x9286
    }

    /// The Exif and XMP chunks.
    var webpChunks: [MetadataChunk] {
        [
            MetadataChunk(name: "EXIF", contents: exif),
            MetadataChunk(name: "XMP ", contents: Array(xmp.utf8)),
        ]
    }

    /// A TIFF structure, big endian: `Software`, and `UserComment` in UTF-16 where there are parameters.
    private var exif: [UInt8] {
        let software = Array(software.utf8.filter { $0 != 0 }) + [0]
        let comment = parameters.map { Self.unicodeComment + $0.utf16.flatMap { Self.bytes16(Int($0)) } }
        // The head, the first directory and its one long value; then the second directory and its one.
        let directoryCount = comment == nil ? 1 : 2
        let softwareStart = 8 + 2 + 12 * directoryCount + 4
        let exifStart = softwareStart + software.count + software.count % 2
        var bytes = Array("MM".utf8) + Self.bytes16(42) + Self.bytes32(8)
        bytes += Self.bytes16(directoryCount)
        bytes += Self.entry(Tag.software, type: 2, software, at: softwareStart)
        if comment != nil {
            bytes +=
                Self.bytes16(Tag.exif) + Self.bytes16(4) + Self.bytes32(1) + Self.bytes32(exifStart)
        }
        bytes += Self.bytes32(0)
        if software.count > 4 {
            bytes += software
        } else {
            bytes += [UInt8](repeating: 0, count: software.count)
        }
        bytes += [UInt8](repeating: 0, count: software.count % 2)
        guard let comment else { return bytes }
        bytes += Self.bytes16(1)
        bytes += Self.entry(Tag.userComment, type: 7, comment, at: exifStart + 2 + 12 + 4)
        return bytes + Self.bytes32(0) + comment
    }

    /// A directory's entry: values of up to four bytes stand in it, longer ones at `position`.
    private static func entry(_ tag: Int, type: Int, _ value: [UInt8], at position: Int) -> [UInt8] {
        let place =
            value.count > 4
            ? bytes32(position) : value + [UInt8](repeating: 0, count: 4 - value.count)
        return bytes16(tag) + bytes16(type) + bytes32(value.count) + place
    }

    private static func bytes16(_ value: Int) -> [UInt8] {
        [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
    }

    private static func bytes32(_ value: Int) -> [UInt8] { bytes16(value >> 16) + bytes16(value) }

    /// The parameters and the software of an Exif structure as ``webpChunks`` writes it, or big-endian like it.
    static func readExif(_ bytes: [UInt8]) -> (parameters: String?, software: String?) {
        guard bytes.count >= 8, bytes.starts(with: "MM".utf8) else { return (nil, nil) }
        let first = directory(bytes, at: bytes.bigEndian32(at: 4))
        let software = first[Tag.software].map { value in
            String(decoding: value.prefix { $0 != 0 }, as: UTF8.self)
        }
        guard let place = first[Tag.exif], place.count == 4 else { return (nil, software) }
        let second = directory(bytes, at: Array(place).bigEndian32(at: 0))
        guard let comment = second[Tag.userComment], comment.starts(with: unicodeComment) else {
            return (nil, software)
        }
        let text = Array(comment.dropFirst(unicodeComment.count))
        let units = (0..<text.count / 2).map { UInt16(text[2 * $0]) << 8 | UInt16(text[2 * $0 + 1]) }
        return (String(decoding: units, as: UTF16.self), software)
    }

    /// The values of a directory's texts, undefined bytes and 32-bit numbers, by tag; damaged entries are left out.
    private static func directory(_ bytes: [UInt8], at start: Int) -> [Int: ArraySlice<UInt8>] {
        guard start + 2 <= bytes.count else { return [:] }
        let count = Int(bytes[start]) << 8 | Int(bytes[start + 1])
        var values: [Int: ArraySlice<UInt8>] = [:]
        for index in 0..<count {
            let entry = start + 2 + 12 * index
            guard entry + 12 <= bytes.count else { break }
            let type = Int(bytes[entry + 2]) << 8 | Int(bytes[entry + 3])
            guard let size = [2: 1, 4: 4, 7: 1][type] else { continue }
            let length = size * bytes.bigEndian32(at: entry + 4)
            let position = length > 4 ? bytes.bigEndian32(at: entry + 8) : entry + 8
            guard position + length <= bytes.count else { continue }
            values[Int(bytes[entry]) << 8 | Int(bytes[entry + 1])] = bytes[position..<position + length]
        }
        return values
    }
}
