/// What is wrong with a JSON document, and at which byte.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kinds of mistake.
    public enum Problem: Equatable, Sendable, CustomStringConvertible {
        case unexpectedEnd
        case unexpectedByte(expected: String, found: UInt8)
        case controlCharacter
        case invalidEscape
        case loneSurrogate
        case invalidUTF8
        case invalidNumber
        case duplicateName(String)
        case trailingBytes
        case tooDeep(limit: Int)
        case tooLong(limit: Int)
        case tooManyValues(limit: Int)

        /// What is wrong, without the place.
        public var description: String {
            switch self {
            case .unexpectedEnd: "it ends too early"
            case .unexpectedByte(let expected, let byte) where (0x21..<0x7F).contains(byte):
                "expected \(expected), found “\(Character(Unicode.Scalar(byte)))”"
            case .unexpectedByte(let expected, let byte):
                "expected \(expected), found byte 0x\(String(byte, radix: 16))"
            case .controlCharacter: "a control character in a text"
            case .invalidEscape: "an escape that does not exist"
            case .loneSurrogate: "half of a surrogate pair"
            case .invalidUTF8: "a text that is no valid UTF-8"
            case .invalidNumber: "a number that is malformed or too large"
            case .duplicateName(let name): "the name \(quoted(name)) occurs twice"
            case .trailingBytes: "more than one value"
            case .tooDeep(let limit): "more than \(limit) levels"
            case .tooLong(let limit): "more than \(limit) bytes"
            case .tooManyValues(let limit): "more than \(limit) values"
            }
        }
    }

    /// The byte at which it was noticed.
    public let offset: Int
    public let problem: Problem

    public var description: String { "\(problem) at byte \(offset)" }
}

/// How much of a JSON document is accepted.
public struct JSONLimits: Sendable {
    /// Bytes of the document.
    public var byteCount: Int
    /// Levels of arrays and objects.
    public var depth: Int
    /// Values of any kind in the whole document.
    public var valueCount: Int
    /// Whether NaN, Infinity and -Infinity, which Python writes into configurations, count as null.
    public var takesNonFinite = false

    /// By default enough for a model's configuration files and indexes.
    public init(byteCount: Int = 64 << 20, depth: Int = 32, valueCount: Int = 4 << 20) {
        self.byteCount = byteCount
        self.depth = depth
        self.valueCount = valueCount
    }
}
