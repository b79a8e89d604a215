/// A JSON document in memory.
public enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number written without fraction or exponent that fits.
    case integer(Int)
    /// A whole number beyond `Int` that fits: 64-bit seeds keep all their digits.
    case unsigned(UInt64)
    /// Any other number; always finite.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The member of an object; nil for anything else.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let object) = self else { return nil }
        return object[key]
    }

    /// A text, or nil.
    public var string: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    /// An integer, or nil; 2.0 counts as one.
    public var int: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    /// A number, or nil.
    public var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .unsigned(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// A truth value, or nil.
    public var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// The elements of an array, or nil.
    public var array: [JSONValue]? {
        guard case .array(let value) = self else { return nil }
        return value
    }

    /// The members of an object, or nil.
    public var object: JSONObject? {
        guard case .object(let value) = self else { return nil }
        return value
    }

    /// Whether this is `null`.
    public var isNull: Bool { self == .null }

    /// The kind of value, for error messages.
    public var described: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .unsigned(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): "the text \(quoted(value))"
        case .array(let values): "an array of \(values.count)"
        case .object(let object): "an object of \(object.count)"
        }
    }
}

/// The members of a JSON object in their order; names are compared byte by byte, not by Unicode equivalence.
public struct JSONObject: Sendable, Equatable {
    /// Each name with its value, in the document's order.
    public private(set) var members: [(name: String, value: JSONValue)] = []
    private var index: [ExactName: Int] = [:]

    /// An object without members.
    public init() {}

    /// These members in their order; of several with one name the last one's value counts.
    public init(_ members: [(name: String, value: JSONValue)]) {
        for member in members where !append(member.name, member.value) {
            if let place = index[ExactName(member.name)] { self.members[place].value = member.value }
        }
    }

    /// How many members there are.
    public var count: Int { members.count }

    /// The value of a member, or nil.
    public subscript(name: String) -> JSONValue? {
        index[ExactName(name)].map { members[$0].value }
    }

    /// Adds a member; false when the name is taken already, which leaves the object as it was.
    mutating func append(_ name: String, _ value: JSONValue) -> Bool {
        let exact = ExactName(name)
        guard index[exact] == nil else { return false }
        index[exact] = members.count
        members.append((name, value))
        return true
    }

    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.members.allSatisfy { right[$0.name] == $0.value }
    }
}

/// A name that equals another only when the bytes do.
public struct ExactName: Hashable, Sendable {
    /// The name itself.
    public let text: String

    /// Takes `text` as it is.
    public init(_ text: String) {
        self.text = text
    }

    public static func == (left: ExactName, right: ExactName) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        var text = self.text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
