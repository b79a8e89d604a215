/// A JSON value to read fields from or to write; objects keep the order of their members, integers of 64 bits their
/// digits.
enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSON])
    case object([Member])

    /// One name and its value.
    struct Member: Sendable, Equatable {
        let name: String
        let value: JSON
    }

    /// What a value is called in a sentence for the user.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// An object with these members, in this order.
    init(_ members: [(String, JSON)]) { self = .object(members.map { Member(name: $0.0, value: $0.1) }) }

    /// `nil` becomes `null`.
    init(_ text: String?) { self = text.map(JSON.string) ?? .null }

    init(_ value: Int) { self = .number(JSONNumber(value)) }

    /// Values that JSON cannot write (NaN, infinities) become `null`, as does `nil`.
    init(_ value: Double?) {
        guard let value, value.isFinite else {
            self = .null
            return
        }
        self = .number(JSONNumber(value))
    }

    /// Numbers with no more digits than they have; none is NaN or infinite.
    init(_ values: [Float]) {
        self = .array(values.map { .number(JSONNumber(text: $0.description, value: Double($0))) })
    }

    subscript(name: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }
}

/// A number with its text, so that 64-bit integers survive.
struct JSONNumber: Sendable, Equatable {
    let text: String
    let value: Double

    init(text: String, value: Double) {
        self.text = text
        self.value = value
    }

    init(_ value: some FixedWidthInteger) { self.init(text: String(value), value: Double(value)) }

    init(_ value: Double) { self.init(text: value.description, value: value) }

    /// The number as an integer, also when it is written as `1.0` or `1e2`; `nil` where it is not one.
    func integer<Value: FixedWidthInteger>(as type: Value.Type = Value.self) -> Value? {
        if let exact = Value(text) { return exact }
        guard value.magnitude <= 9_007_199_254_740_992 else { return nil }
        return Value(exactly: value)
    }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(nilLiteral: ()) { self = .null }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(integerLiteral value: Int) { self.init(value) }
    init(stringLiteral value: String) { self = .string(value) }
    init(arrayLiteral elements: JSON...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(elements.map { Member(name: $0.0, value: $0.1) })
    }
}
