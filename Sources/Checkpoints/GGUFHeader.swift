internal import Tensors

/// The header of a GGUF file, parsed and checked: afterwards every field and tensor lies inside the file.
///
/// Layout (little endian): magic, version, tensor count, key count, keys with values, tensor infos, padding to the
/// alignment, data. Source: ggml's docs/gguf.md.
struct GGUFHeader {
    static let magic: [UInt8] = Array("GGUF".utf8)

    let metadata: GGUFMetadata
    let records: [TensorRecord]

    /// Limits beyond which a file is refused before anything is allocated for it.
    enum Limit {
        static let keys: UInt64 = 65_536
        static let tensors: UInt64 = 65_536
        static let nameBytes: UInt64 = 512
        static let textBytes: UInt64 = 1 << 20
        /// Chat templates and embedded tokenizers, which are only carried along.
        static let longTextBytes: UInt64 = 16 << 20
        static let arrayElements: UInt64 = 1 << 24
        static let dimensions: UInt32 = 4
        static let dimension: UInt64 = 1 << 31
        static let alignment = 8...4096
    }

    /// Reads the header at the start of `bytes`, which `owner` keeps alive.
    init(
        _ bytes: UnsafeRawBufferPointer, file: String, owner: any AnyObject & Sendable
    ) throws(CheckpointError) {
        var cursor = ByteCursor(bytes, file: file)
        try Self.checkMagicAndVersion(&cursor)
        let tensorCount = try Self.count(&cursor, "the number of tensors", limit: Limit.tensors)
        let keyCount = try Self.count(&cursor, "the number of keys", limit: Limit.keys)
        // The least that each record takes: a name of one byte, a type and a value of one byte; a name of one
        // byte, one dimension, a type and an offset.
        try Self.checkRoom(keyCount, of: 14, "the keys", cursor)
        try Self.checkRoom(tensorCount, of: 33, "the tensor infos", cursor)

        let entries = try Self.entries(keyCount, &cursor)
        metadata = GGUFMetadata(file: file, entries: entries, bytes: bytes, owner: owner)
        let alignment = try Self.alignment(metadata, entries)
        records = try Self.records(tensorCount, &cursor, alignment)
        try records.checkUnique(file: file)
        try records.checkDisjoint(file: file)
    }

    private static func checkMagicAndVersion(_ cursor: inout ByteCursor) throws(CheckpointError) {
        let start = try cursor.skip(4, "the magic number")
        guard cursor.bytes[start..<start + 4].elementsEqual(magic) else {
            throw .unknownFormat(file: cursor.file, found: "other first bytes than “GGUF”")
        }
        let version = try cursor.integer(UInt32.self, "the version")
        switch version {
        case 2, 3: break
        case _ where (1...3).contains(version.byteSwapped):
            throw .unsupportedVersion(
                file: cursor.file, found: "version \(version.byteSwapped), big endian")
        default:
            throw .unsupportedVersion(file: cursor.file, found: "version \(version)")
        }
    }

    private static func count(
        _ cursor: inout ByteCursor, _ what: String, limit: UInt64
    ) throws(CheckpointError) -> Int {
        let count = try cursor.integer(UInt64.self, what)
        guard count <= limit else {
            throw .exceedsLimit(file: cursor.file, what: what, limit: limit, found: count)
        }
        return Int(count)
    }

    private static func checkRoom(
        _ count: Int, of minimumBytes: Int, _ what: String, _ cursor: ByteCursor
    ) throws(CheckpointError) {
        guard count * minimumBytes <= cursor.remaining else {
            throw .truncated(
                file: cursor.file, reading: what, expected: UInt64(count * minimumBytes),
                found: UInt64(cursor.remaining))
        }
    }

    // MARK: Keys

    private static func entries(
        _ count: Int, _ cursor: inout ByteCursor
    ) throws(CheckpointError) -> [(String, GGUFField)] {
        var entries: [(String, GGUFField)] = []
        var seen = Set<String>()
        for _ in 0..<count {
            let key = try cursor.string(limit: Limit.nameBytes, "a key")
            guard !key.isEmpty else {
                throw .invalidHeader(file: cursor.file, expected: "a key's name", found: "an empty name")
            }
            guard seen.insert(key).inserted else { throw .duplicateKey(file: cursor.file, key: key) }
            entries.append((key, try field(key, &cursor)))
        }
        return entries
    }

    private static func field(_ key: String, _ cursor: inout ByteCursor) throws(CheckpointError) -> GGUFField
    {
        let type = try valueType(key, &cursor)
        switch type {
        case .string:
            let isLong = key.hasPrefix("tokenizer.chat_template") || key == "tokenizer.huggingface.json"
            let limit = isLong ? Limit.longTextBytes : Limit.textBytes
            let range = try cursor.stringRange(limit: limit, "the value of \(quoted(key))")
            return GGUFField(type: type, element: type, start: range.lowerBound, count: range.count)
        case .array:
            return try arrayField(key, &cursor)
        case .bool:
            let value = try cursor.integer(UInt8.self, "the value of \(quoted(key))")
            guard value <= 1 else {
                throw .invalidKey(file: cursor.file, key: key, expected: "0 or 1", found: "\(value)")
            }
            return GGUFField(type: type, element: type, start: cursor.offset - 1, count: 1)
        default:
            let start = try cursor.skip(UInt64(type.minimumBytes), "the value of \(quoted(key))")
            return GGUFField(type: type, element: type, start: start, count: 1)
        }
    }

    private static func valueType(
        _ key: String, _ cursor: inout ByteCursor
    ) throws(CheckpointError) -> GGUFValueType {
        let raw = try cursor.integer(UInt32.self, "the type of \(quoted(key))")
        guard let type = GGUFValueType(rawValue: raw) else {
            throw .invalidKey(
                file: cursor.file, key: key, expected: "a value type from 0 to 12", found: "\(raw)")
        }
        return type
    }

    private static func arrayField(
        _ key: String, _ cursor: inout ByteCursor
    ) throws(CheckpointError) -> GGUFField {
        let element = try valueType(key, &cursor)
        guard element != .array else {
            throw .invalidKey(
                file: cursor.file, key: key, expected: "an array of plain values", found: "an array of arrays"
            )
        }
        let count = try cursor.integer(UInt64.self, "the length of \(quoted(key))")
        guard count <= Limit.arrayElements else {
            throw .exceedsLimit(
                file: cursor.file, what: "the length of \(quoted(key))", limit: Limit.arrayElements,
                found: count)
        }
        // At most 2^24 elements of at least 1 and at most 8 bytes: no overflow.
        let bytes = count * UInt64(element.minimumBytes)
        guard bytes <= UInt64(cursor.remaining) else {
            throw .truncated(
                file: cursor.file, reading: "the array \(quoted(key))", expected: bytes,
                found: UInt64(cursor.remaining))
        }
        let start = cursor.offset
        if element == .string {
            for _ in 0..<count {
                _ = try cursor.stringRange(limit: Limit.textBytes, "an element of \(quoted(key))")
            }
        } else {
            try cursor.skip(bytes, "the array \(quoted(key))")
        }
        return GGUFField(type: .array, element: element, start: start, count: Int(count))
    }

    private static func alignment(
        _ metadata: GGUFMetadata, _ entries: [(String, GGUFField)]
    ) throws(CheckpointError) -> Int {
        let key = "general.alignment"
        guard let value = metadata[key] else { return 32 }
        let isUInt32 = entries.contains { $0.0 == key && $0.1.type == .uint32 }
        guard isUInt32, case .integer(let alignment) = value, Limit.alignment.contains(alignment),
            alignment & (alignment - 1) == 0
        else {
            throw metadata.failure(key, "a power of two from 8 to 4096 as a 32-bit unsigned integer")
        }
        return alignment
    }
}
