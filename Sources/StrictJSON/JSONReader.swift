/// Reads strict JSON (RFC 8259) piece by piece from memory that is not trusted, without building a tree.
///
/// The caller asks for what it expects; anything else is an error at a byte. Nothing here recurses.
public struct JSONReader {
    private let bytes: UnsafeRawBufferPointer
    /// The byte that comes next.
    public private(set) var offset = 0

    /// Begins at the first of `bytes`, which must outlive the reader.
    public init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The next byte that is no white space, not consumed; nil at the end.
    public mutating func peek() -> UInt8? {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return bytes[offset]
            }
        }
        return nil
    }

    /// Consumes `byte` if it comes next.
    public mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        offset += 1
        return true
    }

    /// Consumes `byte`, which must come next.
    public mutating func expect(_ byte: UInt8, _ what: String) throws(JSONError) {
        guard take(byte) else { throw unexpected(what) }
    }

    /// After a value inside `{}` or `[]`: true at a comma, false at `close`.
    public mutating func continues(until close: UInt8) throws(JSONError) -> Bool {
        if take(UInt8(ascii: ",")) { return true }
        try expect(close, close == UInt8(ascii: "}") ? "“,” or “}”" : "“,” or “]”")
        return false
    }

    /// Checks that nothing but white space is left.
    public mutating func finish() throws(JSONError) {
        guard peek() == nil else { throw error(.trailingBytes) }
    }

    /// Consumes `true`, `false` or `null`.
    public mutating func literal(_ word: StaticString) throws(JSONError) {
        let length = word.utf8CodeUnitCount
        guard length <= bytes.count - offset,
            (0..<length).allSatisfy({ bytes[offset + $0] == word.utf8Start[$0] })
        else { throw unexpected("a value") }
        offset += length
    }

    /// Consumes NaN, Infinity or -Infinity if one of them comes next.
    mutating func takeNonFinite() -> Bool {
        for word in ["NaN", "Infinity", "-Infinity"] where bytes[offset...].starts(with: word.utf8) {
            offset += word.utf8.count
            return true
        }
        return false
    }

    /// A member's name and the colon behind it.
    public mutating func name() throws(JSONError) -> String {
        guard peek() == UInt8(ascii: "\"") else { throw unexpected("a member's name") }
        let name = try string()
        try expect(UInt8(ascii: ":"), "“:”")
        return name
    }

    /// A text in quotation marks.
    public mutating func string() throws(JSONError) -> String {
        try expect(UInt8(ascii: "\""), "a text")
        let start = offset
        try skipPlain()
        if bytes[offset] == UInt8(ascii: "\"") {
            let text = try text(UnsafeRawBufferPointer(rebasing: bytes[start..<offset]), at: start)
            offset += 1
            return text
        }
        return try escapedString(from: start)
    }

    /// A number; an integer when it is written as one and fits 64 bits.
    public mutating func number() throws(JSONError) -> JSONValue {
        guard let first = peek() else { throw error(.unexpectedEnd) }
        guard first == UInt8(ascii: "-") || isDigit(first) else { throw unexpected("a number") }
        let start = offset
        let isNegative = take(UInt8(ascii: "-"))
        var magnitude: UInt64? = 0
        let digits = try skipDigits { digit in
            guard let value = magnitude else { return }
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = tens.addingReportingOverflow(UInt64(digit))
            magnitude = overflow || overflow2 ? nil : sum
        }
        // No leading zeros.
        guard digits == 1 || bytes[offset - digits] != UInt8(ascii: "0") else { throw error(.invalidNumber) }
        let isWhole = try !skipFractionAndExponent()
        if isWhole, let magnitude, let value = whole(magnitude, isNegative: isNegative) { return value }
        let text = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<offset]), as: UTF8.self)
        guard let value = Double(text), value.isFinite else { throw error(.invalidNumber) }
        return .number(value)
    }

    /// An error at the byte that comes next.
    public func error(_ problem: JSONError.Problem) -> JSONError {
        JSONError(offset: offset, problem: problem)
    }

    /// The error for a byte that is not `what`, or for the end.
    public func unexpected(_ what: String) -> JSONError {
        error(
            offset < bytes.count ? .unexpectedByte(expected: what, found: bytes[offset]) : .unexpectedEnd)
    }

    // MARK: Numbers

    private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    /// A whole number; nil where it does not fit, and for -0, which no integer is.
    private func whole(_ magnitude: UInt64, isNegative: Bool) -> JSONValue? {
        guard isNegative else {
            return Int(exactly: magnitude).map(JSONValue.integer) ?? .unsigned(magnitude)
        }
        guard magnitude > 0, magnitude <= Int.min.magnitude else { return nil }
        return .integer(Int(truncatingIfNeeded: 0 &- magnitude))
    }

    private mutating func skipDigits(_ body: (UInt8) -> Void = { _ in }) throws(JSONError) -> Int {
        let start = offset
        while offset < bytes.count, isDigit(bytes[offset]) {
            body(bytes[offset] - 0x30)
            offset += 1
        }
        guard offset > start else { throw error(.invalidNumber) }
        return offset - start
    }

    private mutating func skipFractionAndExponent() throws(JSONError) -> Bool {
        var found = false
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            offset += 1
            found = true
            _ = try skipDigits()
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            offset += 1
            found = true
            if offset < bytes.count, bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-")
            {
                offset += 1
            }
            _ = try skipDigits()
        }
        return found
    }

    // MARK: Texts

    /// Moves to the next quotation mark or backslash.
    private mutating func skipPlain() throws(JSONError) {
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return }
            guard byte >= 0x20 else { throw error(.controlCharacter) }
            offset += 1
        }
        throw error(.unexpectedEnd)
    }

    private func text(_ bytes: UnsafeRawBufferPointer, at start: Int) throws(JSONError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw JSONError(offset: start, problem: .invalidUTF8)
        }
        return text
    }

    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var buffer = Array(bytes[start..<offset])
        while bytes[offset] != UInt8(ascii: "\"") {
            try appendEscape(to: &buffer)
            let plain = offset
            try skipPlain()
            buffer.append(contentsOf: bytes[plain..<offset])
        }
        offset += 1
        guard let text = String(validating: buffer, as: UTF8.self) else {
            throw JSONError(offset: start, problem: .invalidUTF8)
        }
        return text
    }

    private mutating func appendEscape(to buffer: inout [UInt8]) throws(JSONError) {
        guard bytes.count - offset >= 2 else { throw error(.unexpectedEnd) }
        let kind = bytes[offset + 1]
        offset += 2
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): buffer.append(kind)
        case UInt8(ascii: "b"): buffer.append(0x08)
        case UInt8(ascii: "f"): buffer.append(0x0C)
        case UInt8(ascii: "n"): buffer.append(0x0A)
        case UInt8(ascii: "r"): buffer.append(0x0D)
        case UInt8(ascii: "t"): buffer.append(0x09)
        case UInt8(ascii: "u"): buffer.append(contentsOf: Array(String(try scalar()).utf8))
        default: throw error(.invalidEscape)
        }
    }

    /// The scalar of a `\uXXXX` escape, or of two that form a surrogate pair.
    private mutating func scalar() throws(JSONError) -> Character {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return Character(scalar) }
        guard first < 0xDC00, bytes.count - offset >= 2, bytes[offset] == UInt8(ascii: "\\"),
            bytes[offset + 1] == UInt8(ascii: "u")
        else { throw error(.loneSurrogate) }
        offset += 2
        let second = try hexadecimal()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw error(.loneSurrogate) }
        return Character(scalar)
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        guard bytes.count - offset >= 4 else { throw error(.unexpectedEnd) }
        var value: UInt32 = 0
        for byte in bytes[offset..<offset + 4] {
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
            case 0x41...0x46: value = value << 4 | UInt32(byte - 0x37)
            case 0x61...0x66: value = value << 4 | UInt32(byte - 0x57)
            default: throw error(.invalidEscape)
            }
        }
        offset += 4
        return value
    }
}
