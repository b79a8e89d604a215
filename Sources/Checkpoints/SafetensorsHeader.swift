internal import StrictJSON
internal import Tensors

/// The header of a safetensors file, parsed and checked: afterwards every tensor lies inside the file, without holes.
///
/// Layout: length of the header as 64-bit little endian, a JSON object `{"name": {"dtype", "shape", "data_offsets"}}`
/// padded with spaces, the data. The rules are those of Hugging Face's `safetensors` crate, stricter where a polyglot
/// file could hide (the header starts with `{`, only spaces follow it) and where two readers could disagree
/// (duplicate names).
struct SafetensorsHeader {
    let records: [TensorRecord]
    /// The texts of `__metadata__`.
    let metadata: [String: String]

    /// Limits beyond which a file is refused before anything is allocated for it.
    enum Limit {
        static let headerBytes: UInt64 = 16 << 20
        static let tensors = 65_536
        static let nameBytes = 512
        static let dimensions = 8
        static let metadataEntries = 65_536
    }

    /// Bytes of an element by the type's name in the file; the first three are the ones that kernels read.
    private static let elementBytes: [String: Int] = [
        "F32": 4, "F16": 2, "BF16": 2, "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1,
        "I16": 2, "U16": 2, "I32": 4, "U32": 4, "F64": 8, "I64": 8, "U64": 8, "C64": 8,
    ]

    /// Reads the header at the start of `bytes`.
    init(_ bytes: UnsafeRawBufferPointer, file: String) throws(CheckpointError) {
        var cursor = ByteCursor(bytes, file: file)
        let length = try cursor.integer(UInt64.self, "the length of the header")
        guard length >= 2 else {
            throw .invalidHeader(file: file, expected: "a header of 2 bytes or more", found: "\(length)")
        }
        guard length <= Limit.headerBytes else {
            throw .exceedsLimit(
                file: file, what: "the length of the header", limit: Limit.headerBytes, found: length)
        }
        let start = try cursor.skip(length, "the header")
        let header = UnsafeRawBufferPointer(rebasing: bytes[start..<cursor.offset])
        guard header.first == UInt8(ascii: "{") else {
            throw .invalidHeader(file: file, expected: "“{” as the header's first byte", found: "another")
        }
        (records, metadata) = try Self.contents(header, dataStart: cursor.offset, file: file)
        try records.checkUnique(file: file)
        try Self.checkCoverage(records, dataStart: cursor.offset, fileSize: bytes.count, file: file)
    }

    private static func contents(
        _ header: UnsafeRawBufferPointer, dataStart: Int, file: String
    ) throws(CheckpointError) -> ([TensorRecord], [String: String]) {
        var parser = SafetensorsHeaderParser(
            reader: JSONReader(header), file: file, dataStart: dataStart, elementBytes: elementBytes)
        let records = try parser.records()
        // The crate pads with spaces; anything else behind the object could be another format's beginning.
        guard header[parser.reader.offset...].allSatisfy({ $0 == 0x20 }) else {
            throw .invalidHeader(
                file: file, expected: "only spaces behind the header's object", found: "more")
        }
        return (records, parser.metadata)
    }

    /// Checks that the tensors follow each other without gap or overlap up to the file's last byte.
    private static func checkCoverage(
        _ records: [TensorRecord], dataStart: Int, fileSize: Int, file: String
    ) throws(CheckpointError) {
        var end = dataStart
        let sorted = records.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        for (index, record) in sorted.enumerated() {
            if record.range.lowerBound < end {
                let other = index > 0 ? sorted[index - 1].name : ""
                throw .overlappingTensors(file: file, tensor: other, other: record.name)
            }
            guard record.range.lowerBound == end else {
                throw .invalidTensor(
                    file: file, tensor: record.name, expected: "its data to begin at \(end - dataStart)",
                    found: "\(record.range.lowerBound - dataStart)")
            }
            end = record.range.upperBound
        }
        guard end <= fileSize else {
            throw .truncated(
                file: file, reading: "the tensors' data", expected: UInt64(end - dataStart),
                found: UInt64(fileSize - dataStart))
        }
        guard end == fileSize else {
            throw .invalidHeader(
                file: file, expected: "a file of \(end) bytes", found: "\(fileSize) bytes")
        }
    }
}
