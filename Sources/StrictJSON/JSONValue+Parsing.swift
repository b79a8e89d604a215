extension JSONValue {
    /// Parses a whole document of strict JSON.
    ///
    /// Not accepted: comments, trailing commas, NaN and Infinity (but see `JSONLimits`), duplicate names, lone surrogates, invalid UTF-8, and
    /// whatever exceeds `limits`.
    public init(parsing bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
        // The closure cannot throw a typed error through the standard library's rethrowing call.
        self = try bytes.withUnsafeBytes { buffer in
            Result<JSONValue, JSONError> { () throws(JSONError) in
                try JSONValue(parsing: buffer, limits: limits)
            }
        }.get()
    }

    /// Parses a whole document that lies in memory; see `init(parsing:limits:)`.
    public init(parsing bytes: UnsafeRawBufferPointer, limits: JSONLimits) throws(JSONError) {
        guard bytes.count <= limits.byteCount else {
            throw JSONError(offset: limits.byteCount, problem: .tooLong(limit: limits.byteCount))
        }
        var parser = JSONParser(reader: JSONReader(bytes), limits: limits)
        self = try parser.value(depth: 0)
        try parser.reader.finish()
    }
}

/// Builds the tree; recursion is bounded by `limits.depth`.
private struct JSONParser {
    var reader: JSONReader
    let limits: JSONLimits
    var valueCount = 0

    mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        valueCount += 1
        guard valueCount <= limits.valueCount else {
            throw reader.error(.tooManyValues(limit: limits.valueCount))
        }
        switch reader.peek() {
        case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try reader.string())
        case UInt8(ascii: "t"):
            try reader.literal("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try reader.literal("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try reader.literal("null")
            return .null
        case _ where limits.takesNonFinite && reader.takeNonFinite(): return .null
        case let byte? where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte):
            return try reader.number()
        default: throw reader.unexpected("a value")
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONObject {
        guard depth <= limits.depth else { throw reader.error(.tooDeep(limit: limits.depth)) }
        try reader.expect(UInt8(ascii: "{"), "an object")
        var object = JSONObject()
        if reader.take(UInt8(ascii: "}")) { return object }
        repeat {
            _ = reader.peek()
            let place = reader.offset
            let name = try reader.name()
            let value = try value(depth: depth)
            guard object.append(name, value) else {
                throw JSONError(offset: place, problem: .duplicateName(name))
            }
        } while try reader.continues(until: UInt8(ascii: "}"))
        return object
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
        guard depth <= limits.depth else { throw reader.error(.tooDeep(limit: limits.depth)) }
        try reader.expect(UInt8(ascii: "["), "an array")
        var array: [JSONValue] = []
        if reader.take(UInt8(ascii: "]")) { return array }
        repeat {
            array.append(try value(depth: depth))
        } while try reader.continues(until: UInt8(ascii: "]"))
        return array
    }
}
