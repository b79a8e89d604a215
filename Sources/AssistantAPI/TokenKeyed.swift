/// Numbers by token id, which JSON writes as an object: `{"128001": -100}`.
///
/// Left to itself, a dictionary whose keys are no strings becomes a list of keys and values in turn.
@propertyWrapper
public struct TokenKeyed: Codable, Sendable, Equatable {
    public var wrappedValue: [Int32: Double]?

    public init(wrappedValue: [Int32: Double]?) { self.wrappedValue = wrappedValue }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            wrappedValue = nil
            return
        }
        var numbers: [Int32: Double] = [:]
        for (key, number) in try container.decode([String: Double].self) {
            guard let id = Int32(key) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "expected a token id, found \"\(key.prefix(80))\"")
            }
            numbers[id] = number
        }
        wrappedValue = numbers
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue {
            let pairs = wrappedValue.map { (String($0.key), $0.value) }
            try container.encode(Dictionary(uniqueKeysWithValues: pairs))
        } else {
            try container.encodeNil()
        }
    }
}

// The compiler's own coding neither skips a wrapped `nil` nor takes a missing key for one.
extension KeyedDecodingContainer {
    func decode(_ type: TokenKeyed.Type, forKey key: Key) throws -> TokenKeyed {
        try decodeIfPresent(type, forKey: key) ?? TokenKeyed(wrappedValue: nil)
    }
}

extension KeyedEncodingContainer {
    mutating func encode(_ value: TokenKeyed, forKey key: Key) throws {
        guard value.wrappedValue != nil else { return }
        try encodeIfPresent(value, forKey: key)
    }
}
