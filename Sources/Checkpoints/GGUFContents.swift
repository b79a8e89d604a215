public import Tensors

/// The header of a GGUF file that is to be written: keys with values, and tensors, both in the file's order.
///
/// Version 3, little endian, with ggml's alignment of 32.
public struct GGUFContents: Sendable {
    /// A tensor that is to follow the header.
    public struct TensorInfo: Sendable, Equatable {
        public var name: String
        public var type: ElementType
        /// Outermost dimension first; rows are whole blocks of the type.
        public var shape: [Int]

        public init(name: String, type: ElementType, shape: [Int]) {
            self.name = name
            self.type = type
            self.shape = shape
        }

        /// Bytes of its elements.
        public var byteCount: Int { type.byteCount(of: shape.reduce(1, *)) ?? 0 }
    }

    /// What the file's beginning and the places behind it are.
    public struct Layout: Sendable {
        /// Up to where the first tensor begins.
        public var header: [UInt8]
        /// Where each tensor begins in the file.
        public var offsets: [Int]
        /// Of the whole file, the padding behind the last tensor included, as ggml's own writer has it.
        public var fileSize: Int
    }

    public static let alignment = 32

    public var tensors: [TensorInfo] = []
    private var entries: [(key: String, value: [UInt8])] = []

    public init() {}

    /// Begins with all keys and values of another file, to the byte.
    public init(copying metadata: GGUFMetadata) {
        entries = metadata.keys.compactMap { key in metadata.encodedValue(key).map { (key, $0) } }
    }

    /// The keys in their order.
    public var keys: [String] { entries.map(\.key) }

    // MARK: - Keys

    public mutating func remove(_ key: String) { entries.removeAll { $0.key == key } }

    public mutating func set(_ key: String, _ text: String) {
        put(key, .string) { $0.append(text: text) }
    }

    public mutating func set(_ key: String, _ number: UInt32) {
        put(key, .uint32) { $0.append(littleEndian: number) }
    }

    public mutating func set(_ key: String, _ number: Float) {
        put(key, .float32) { $0.append(littleEndian: number.bitPattern) }
    }

    public mutating func set(_ key: String, _ value: Bool) {
        put(key, .bool) { $0.append(value ? 1 : 0) }
    }

    public mutating func set(_ key: String, _ texts: [String]) {
        putArray(key, .string, count: texts.count) { for text in texts { $0.append(text: text) } }
    }

    public mutating func set(_ key: String, _ numbers: [Int32]) {
        putArray(key, .int32, count: numbers.count) {
            for number in numbers { $0.append(littleEndian: number) }
        }
    }

    public mutating func set(_ key: String, _ numbers: [Float]) {
        putArray(key, .float32, count: numbers.count) {
            for number in numbers { $0.append(littleEndian: number.bitPattern) }
        }
    }

    private mutating func putArray(
        _ key: String, _ element: GGUFValueType, count: Int, _ write: (inout [UInt8]) -> Void
    ) {
        put(key, .array) { value in
            value.append(littleEndian: element.rawValue)
            value.append(littleEndian: UInt64(count))
            write(&value)
        }
    }

    /// Like ggml's writer: what is set anew goes to the end.
    private mutating func put(_ key: String, _ type: GGUFValueType, _ write: (inout [UInt8]) -> Void) {
        remove(key)
        var value: [UInt8] = []
        value.append(littleEndian: type.rawValue)
        write(&value)
        entries.append((key, value))
    }

    // MARK: - Bytes

    /// The header's bytes, and the places of the tensors behind it.
    public func layout() -> Layout {
        var header = GGUFHeader.magic
        header.append(littleEndian: UInt32(3))
        header.append(littleEndian: UInt64(tensors.count))
        header.append(littleEndian: UInt64(entries.count))
        for entry in entries {
            header.append(text: entry.key)
            header += entry.value
        }
        var offsets: [Int] = []
        var end = 0
        for tensor in tensors {
            offsets.append(end)
            header.append(text: tensor.name)
            header.append(littleEndian: UInt32(tensor.shape.count))
            for dimension in tensor.shape.reversed() { header.append(littleEndian: UInt64(dimension)) }
            header.append(littleEndian: GGUFHeader.number(of: tensor.type))
            header.append(littleEndian: UInt64(end))
            end += Self.aligned(tensor.byteCount)
        }
        header += [UInt8](repeating: 0, count: Self.aligned(header.count) - header.count)
        return Layout(
            header: header, offsets: offsets.map { header.count + $0 }, fileSize: header.count + end)
    }

    private static func aligned(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }
}

extension GGUFHeader {
    /// ggml's number of a type.
    static func number(of type: ElementType) -> UInt32 {
        guard let number = typeNames.first(where: { $0.value == type.rawValue })?.key else {
            preconditionFailure("a type without a number")
        }
        return number
    }
}

extension [UInt8] {
    mutating func append(littleEndian number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }

    fileprivate mutating func append(text: String) {
        append(littleEndian: UInt64(text.utf8.count))
        append(contentsOf: text.utf8)
    }
}
