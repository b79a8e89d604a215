/// The key-value pairs of a GGUF file.
///
/// Only the keys are in memory; values are decoded from the mapped file when they are asked for, so a vocabulary of
/// 128,256 texts costs nothing until a tokenizer wants it.
public struct GGUFMetadata: Sendable {
    /// The file's path, for errors.
    public let file: String
    /// The keys in the file's order.
    public let keys: [String]
    private let fields: [String: GGUFField]
    nonisolated(unsafe) private let bytes: UnsafeRawBufferPointer
    private let owner: any AnyObject & Sendable

    init(
        file: String, entries: [(String, GGUFField)], bytes: UnsafeRawBufferPointer,
        owner: any AnyObject & Sendable
    ) {
        self.file = file
        self.keys = entries.map(\.0)
        self.fields = Dictionary(entries, uniquingKeysWith: { first, _ in first })
        self.bytes = bytes
        self.owner = owner
    }

    /// The value of a key, or nil.
    public subscript(key: String) -> GGUFValue? {
        guard let field = fields[key] else { return nil }
        switch field.type {
        case .uint8: return .integer(Int(load(field, UInt8.self)))
        case .int8: return .integer(Int(load(field, Int8.self)))
        case .uint16: return .integer(Int(load(field, UInt16.self)))
        case .int16: return .integer(Int(load(field, Int16.self)))
        case .uint32: return .integer(Int(load(field, UInt32.self)))
        case .int32: return .integer(Int(load(field, Int32.self)))
        case .int64: return .integer(Int(load(field, Int64.self)))
        case .uint64:
            let value = load(field, UInt64.self)
            return Int(exactly: value).map(GGUFValue.integer) ?? .unsigned(value)
        case .float32: return .float(Float(bitPattern: load(field, UInt32.self)))
        case .float64: return .double(Double(bitPattern: load(field, UInt64.self)))
        case .bool: return .bool(load(field, UInt8.self) != 0)
        case .string: return .string(text(field.start..<field.start + field.count))
        case .array: return .array(field.element, count: field.count)
        }
    }

    /// A text; invalid UTF-8 in it is replaced by U+FFFD.
    public func string(_ key: String) -> String? {
        guard case .string(let value)? = self[key] else { return nil }
        return value
    }

    /// A value of any integer type.
    public func int(_ key: String) -> Int? {
        guard case .integer(let value)? = self[key] else { return nil }
        return value
    }

    /// A floating-point value.
    public func float(_ key: String) -> Float? {
        double(key).map { Float($0) }
    }

    /// A floating-point value.
    public func double(_ key: String) -> Double? {
        switch self[key] {
        case .float(let value)?: Double(value)
        case .double(let value)?: value
        default: nil
        }
    }

    /// A truth value.
    public func bool(_ key: String) -> Bool? {
        guard case .bool(let value)? = self[key] else { return nil }
        return value
    }

    /// An array of texts; invalid UTF-8 in them is replaced by U+FFFD.
    public func strings(_ key: String) -> [String]? {
        guard let field = array(key, { $0 == .string }) else { return nil }
        var cursor = field.start
        return (0..<field.count).map { _ in
            // The lengths were walked and checked when the file was opened.
            let length = Int(
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: cursor, as: UInt64.self)))
            cursor += 8 + length
            return text(cursor - length..<cursor)
        }
    }

    /// An array of any integer type, when each element fits 32 bits.
    public func ints(_ key: String) -> [Int32]? {
        guard let field = array(key, { $0.isInteger }) else { return nil }
        var values: [Int32] = []
        values.reserveCapacity(field.count)
        for index in 0..<field.count {
            guard let value = integer(field, index) else { return nil }
            values.append(value)
        }
        return values
    }

    /// An array of 32-bit floating-point values.
    public func floats(_ key: String) -> [Float]? {
        guard let field = array(key, { $0 == .float32 }) else { return nil }
        return (0..<field.count).map { Float(bitPattern: load(field, UInt32.self, $0)) }
    }

    /// A key's value as it lies in the file, with its type in front.
    func encodedValue(_ key: String) -> [UInt8]? {
        guard let field = fields[key] else { return nil }
        var value: [UInt8] = []
        value.append(littleEndian: field.type.rawValue)
        switch field.type {
        case .string: value.append(littleEndian: UInt64(field.count))
        case .array:
            value.append(littleEndian: field.element.rawValue)
            value.append(littleEndian: UInt64(field.count))
        default: break
        }
        value.append(contentsOf: bytes[field.start..<field.start + byteCount(field)])
        return value
    }

    private func byteCount(_ field: GGUFField) -> Int {
        guard field.type == .array, field.element == .string else {
            return field.type == .string ? field.count : field.count * field.element.minimumBytes
        }
        var end = field.start
        for _ in 0..<field.count {
            let length = bytes.loadUnaligned(fromByteOffset: end, as: UInt64.self)
            end += 8 + Int(UInt64(littleEndian: length))
        }
        return end - field.start
    }

    private func array(_ key: String, _ accepts: (GGUFValueType) -> Bool) -> GGUFField? {
        guard let field = fields[key], field.type == .array, accepts(field.element) else { return nil }
        return field
    }

    private func load<T: FixedWidthInteger>(_ field: GGUFField, _ type: T.Type, _ index: Int = 0) -> T {
        let offset = field.start + index * MemoryLayout<T>.size
        return T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    private func integer(_ field: GGUFField, _ index: Int) -> Int32? {
        switch field.element {
        case .uint8: Int32(load(field, UInt8.self, index))
        case .int8: Int32(load(field, Int8.self, index))
        case .uint16: Int32(load(field, UInt16.self, index))
        case .int16: Int32(load(field, Int16.self, index))
        case .uint32: Int32(exactly: load(field, UInt32.self, index))
        case .int32: load(field, Int32.self, index)
        case .uint64: Int32(exactly: load(field, UInt64.self, index))
        case .int64: Int32(exactly: load(field, Int64.self, index))
        case .float32, .bool, .string, .array, .float64: nil
        }
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self)
    }
}

/// Where a value lies in the file; checked to lie wholly inside.
struct GGUFField {
    let type: GGUFValueType
    /// An array's element type; the type itself otherwise.
    let element: GGUFValueType
    /// The first byte of the value itself, after lengths and types.
    let start: Int
    /// A string's bytes, an array's elements, else 1.
    let count: Int
}

// MARK: - Required values

extension GGUFMetadata {
    /// A text that must be there.
    ///
    /// - Throws: `missingKey`, or `invalidKey` for another type.
    public func requireString(_ key: String) throws(CheckpointError) -> String {
        guard let value = string(key) else { throw failure(key, "a text") }
        return value
    }

    /// An integer that must be there and inside `range`.
    ///
    /// - Throws: `missingKey`, or `invalidKey` for another type or a value out of range.
    public func requireInt(
        _ key: String, in range: ClosedRange<Int> = 0...Int.max
    ) throws(CheckpointError) -> Int {
        guard let value = int(key), range.contains(value) else {
            let upper = range.upperBound == Int.max ? "or more" : "to \(range.upperBound)"
            throw failure(key, "an integer, \(range.lowerBound) \(upper)")
        }
        return value
    }

    /// A finite number that must be there and inside `range`.
    ///
    /// - Throws: `missingKey`, or `invalidKey` for another type or a value out of range.
    public func requireDouble(
        _ key: String,
        in range: ClosedRange<Double> = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
    ) throws(CheckpointError) -> Double {
        guard let value = double(key), value.isFinite, range.contains(value) else {
            throw failure(key, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// An array of texts that must be there.
    ///
    /// - Throws: `missingKey`, or `invalidKey` for another type.
    public func requireStrings(_ key: String) throws(CheckpointError) -> [String] {
        guard let value = strings(key) else { throw failure(key, "an array of texts") }
        return value
    }

    /// The error for a key that isn't as expected.
    func failure(_ key: String, _ expected: String) -> CheckpointError {
        guard let found = self[key] else { return .missingKey(file: file, key: key, expected: expected) }
        return .invalidKey(file: file, key: key, expected: expected, found: found.described)
    }
}
