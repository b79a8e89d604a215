/// Reads the fields of one protobuf message, for SentencePiece's model file.
struct ProtobufReader {
    enum Value {
        case varint(UInt64)
        case fixed32(UInt32)
        case bytes(Range<Int>)
        case skipped
    }

    private let bytes: [UInt8]
    private var position: Int
    private let end: Int

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// The next field's number and value, or nil at the end of the message.
    mutating func next() throws(TokenizerError) -> (field: Int, value: Value)? {
        guard position < end else { return nil }
        let key = try varint()
        let field = Int(truncatingIfNeeded: key >> 3)
        switch key & 7 {
        case 0:
            return (field, .varint(try varint()))
        case 1:
            _ = try take(8)
            return (field, .skipped)
        case 2:
            let count = try varint()
            guard count <= UInt64(end - position) else { throw failure("a field is longer than the file") }
            return (field, .bytes(try take(Int(count))))
        case 5:
            let range = try take(4)
            return (field, .fixed32(range.reversed().reduce(0) { $0 << 8 | UInt32(bytes[$1]) }))
        default:
            throw failure("unknown wire type \(key & 7)")
        }
    }

    private mutating func varint() throws(TokenizerError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard position < end else { throw failure("the file ends within a number") }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw failure("a number is too long")
    }

    private mutating func take(_ count: Int) throws(TokenizerError) -> Range<Int> {
        guard count <= end - position else { throw failure("the file ends within a field") }
        defer { position += count }
        return position..<position + count
    }

    private func failure(_ reason: String) -> TokenizerError {
        .malformed(format: "SentencePiece model", offset: position, reason: reason)
    }
}
