/// Reads little-endian numbers and runs of bytes from memory that is not trusted.
///
/// Every read is checked against what is left; offsets come from the file as `UInt64` and become `Int` only after
/// they were compared.
struct ByteCursor {
    let bytes: UnsafeRawBufferPointer
    /// The file's name for errors.
    let file: String
    private(set) var offset = 0

    init(_ bytes: UnsafeRawBufferPointer, file: String) {
        self.bytes = bytes
        self.file = file
    }

    /// Bytes not yet read.
    var remaining: Int { bytes.count - offset }

    /// The next little-endian integer.
    mutating func integer<T: FixedWidthInteger>(
        _ type: T.Type, _ what: @autoclosure () -> String
    ) throws(CheckpointError) -> T {
        let start = try skip(UInt64(MemoryLayout<T>.size), what())
        return T(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: T.self))
    }

    /// Passes over `count` bytes and returns the offset of the first.
    @discardableResult
    mutating func skip(_ count: UInt64, _ what: @autoclosure () -> String) throws(CheckpointError) -> Int {
        guard count <= UInt64(remaining) else {
            throw .truncated(file: file, reading: what(), expected: count, found: UInt64(remaining))
        }
        let start = offset
        offset += Int(count)
        return start
    }

    /// Passes over a string (length as UInt64, then the bytes) and returns where its bytes lie.
    mutating func stringRange(
        limit: UInt64, _ what: @autoclosure () -> String
    ) throws(CheckpointError) -> Range<Int> {
        let length = try integer(UInt64.self, what())
        // A length beyond the file is told as such, whatever the limit is.
        guard length <= UInt64(remaining) else {
            throw .truncated(file: file, reading: what(), expected: length, found: UInt64(remaining))
        }
        guard length <= limit else {
            throw .exceedsLimit(file: file, what: "the length of \(what())", limit: limit, found: length)
        }
        let start = try skip(length, what())
        return start..<offset
    }

    /// The next string, which must be valid UTF-8.
    mutating func string(limit: UInt64, _ what: @autoclosure () -> String) throws(CheckpointError) -> String {
        let range = try stringRange(limit: limit, what())
        guard let text = String(validating: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self)
        else {
            throw .invalidText(file: file, what: what(), offset: range.lowerBound)
        }
        return text
    }
}
