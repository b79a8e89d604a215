/// The types of values in GGUF's metadata, by their number in the file.
public enum GGUFValueType: UInt32, Sendable {
    case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

    /// Bytes of a value of fixed size; for a string or an array the least it can take.
    var minimumBytes: Int {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64, .string: 8
        case .array: 12
        }
    }

    var isInteger: Bool {
        switch self {
        case .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64: true
        case .float32, .bool, .string, .array, .float64: false
        }
    }
}

/// One value of GGUF's metadata.
public enum GGUFValue: Sendable, Equatable {
    /// Any of the integer types.
    case integer(Int)
    /// A 64-bit unsigned integer above `Int.max`.
    case unsigned(UInt64)
    case float(Float)
    case double(Double)
    case bool(Bool)
    case string(String)
    /// An array by its element type and count; its elements are read by `GGUFMetadata.strings(_:)` and the like.
    case array(GGUFValueType, count: Int)

    /// The value as error messages show it.
    var described: String {
        switch self {
        case .integer(let value): "\(value)"
        case .unsigned(let value): "\(value)"
        case .float(let value): "\(value)"
        case .double(let value): "\(value)"
        case .bool(let value): "\(value)"
        case .string(let value): "the text \(quoted(value))"
        case .array(let type, let count): "an array of \(count) values of type \(type)"
        }
    }
}
