/// Recursive descent over bytes, bounded in depth.
struct JSONParser {
    private let bytes: [UInt8]
    private let name: String
    private var position = 0
    private var depth = 0
    private var valueCount = 0

    private static let depthLimit = 32
    // A value takes more memory than its text; the largest vocabularies have about a million.
    private static let valueLimit = 8_000_000

    init(_ bytes: [UInt8], name: String) {
        self.bytes = bytes
        self.name = name
    }

    mutating func document() throws(TokenizerError) -> JSON {
        let value = try value()
        skipBlanks()
        guard position == bytes.count else { throw failure("text after the document") }
        return value
    }

    private mutating func value() throws(TokenizerError) -> JSON {
        skipBlanks()
        valueCount += 1
        guard valueCount <= Self.valueLimit else { throw failure("more than \(Self.valueLimit) values") }
        switch peek {
        case UInt8(ascii: "{"): return try nested { (parser) throws(TokenizerError) in try parser.object() }
        case UInt8(ascii: "["): return try nested { (parser) throws(TokenizerError) in try parser.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(TokenizerError) -> JSON
    ) throws(TokenizerError) -> JSON {
        guard depth < Self.depthLimit else { throw failure("nested deeper than \(Self.depthLimit)") }
        depth += 1
        position += 1
        let value = try body(&self)
        depth -= 1
        return value
    }

    private mutating func object() throws(TokenizerError) -> JSON {
        var members: [JSON.Member] = []
        var keys: Set<String> = []
        skipBlanks()
        if take("}") { return .object(members) }
        repeat {
            skipBlanks()
            let key = try string()
            guard keys.insert(key).inserted else { throw failure("duplicate key \"\(key.prefix(64))\"") }
            skipBlanks()
            guard take(":") else { throw failure("expected \":\"") }
            members.append(JSON.Member(key: key, value: try value()))
            skipBlanks()
        } while take(",")
        guard take("}") else { throw failure("expected \",\" or \"}\"") }
        return .object(members)
    }

    private mutating func array() throws(TokenizerError) -> JSON {
        var values: [JSON] = []
        skipBlanks()
        if take("]") { return .array(values) }
        repeat {
            values.append(try value())
            skipBlanks()
        } while take(",")
        guard take("]") else { throw failure("expected \",\" or \"]\"") }
        return .array(values)
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws(TokenizerError) -> JSON {
        let expected = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard bytes[position...].starts(with: expected) else { throw failure("expected \(word)") }
        position += expected.count
        return value
    }

    private mutating func number() throws(TokenizerError) -> JSON {
        let start = position
        _ = take("-")
        let digits = position
        skipDigits()
        guard position > digits, position == digits + 1 || bytes[digits] != UInt8(ascii: "0") else {
            throw failure("expected a value")
        }
        var isInteger = true
        if take(".") {
            isInteger = false
            guard skipDigits() > 0 else { throw failure("expected a digit") }
        }
        if take("e") || take("E") {
            isInteger = false
            if !take("+") { _ = take("-") }
            guard skipDigits() > 0 else { throw failure("expected a digit") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int(text) { return .integer(value) }
        guard let value = Double(text) else { throw failure("not a number: \(text.prefix(64))") }
        return .number(value)
    }

    private mutating func string() throws(TokenizerError) -> String {
        guard take("\"") else { throw failure("expected a string") }
        let start = position
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
            position += 1
        }
        if peek == UInt8(ascii: "\"") {
            defer { position += 1 }
            return try text(bytes[start..<position])
        }
        var unescaped = Array(bytes[start..<position])
        while let byte = peek, byte >= 0x20 {
            position += 1
            if byte == UInt8(ascii: "\"") { return try text(unescaped[...]) }
            if byte == UInt8(ascii: "\\") {
                try appendEscape(to: &unescaped)
            } else {
                unescaped.append(byte)
            }
        }
        throw failure(peek == nil ? "the string has no end" : "a control character in a string")
    }

    private mutating func appendEscape(to text: inout [UInt8]) throws(TokenizerError) {
        guard let byte = peek else { throw failure("the string has no end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "u"): text.append(contentsOf: String(Character(try unicodeEscape())).utf8)
        default: throw failure("unknown escape")
        }
    }

    private mutating func unicodeEscape() throws(TokenizerError) -> Unicode.Scalar {
        var value = try fourHexDigits()
        if (0xD800..<0xDC00).contains(value), take("\\"), take("u") {
            let low = try fourHexDigits()
            guard (0xDC00..<0xE000).contains(low) else { throw failure("a lone surrogate") }
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw failure("a lone surrogate") }
        return scalar
    }

    private mutating func fourHexDigits() throws(TokenizerError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure("expected four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    private func text(_ slice: ArraySlice<UInt8>) throws(TokenizerError) -> String {
        let text = slice.withUnsafeBufferPointer { String(validating: $0, as: UTF8.self) }
        guard let text else { throw failure("a string is not UTF-8") }
        return text
    }

    @discardableResult
    private mutating func skipDigits() -> Int {
        let start = position
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }

    private mutating func skipBlanks() {
        while let byte = peek, byte == 32 || byte == 10 || byte == 13 || byte == 9 { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func failure(_ reason: String) -> TokenizerError {
        .malformed(format: name, offset: position, reason: reason)
    }
}
