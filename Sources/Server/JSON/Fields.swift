import AssistantAPI
import FoundationEssentials

/// The members of a JSON object or the parts of a form, read by name and type; `null`, and in a form no text, counts as
/// missing.
///
/// A form has its values as text, so a reader that wants anything else takes the text as JSON.
///
/// Every failure is a 400 that names the field by its whole path, what was expected and what was found.
struct Fields: Sendable {
    /// The path to this object, with its final dot; empty for the body itself.
    let path: String
    private let members: [String: JSON]
    /// Of a form.
    private let filesByName: [String: [Data]]
    private let isForm: Bool

    init(_ json: JSON, path: String = "") throws(Failure) {
        guard case .object(let members) = json else {
            throw .invalid(
                "\(path.isEmpty ? "The body" : "'\(path)'") must be an object, not \(json.kind).",
                parameter: path.isEmpty ? nil : path)
        }
        self.path = path.isEmpty ? "" : path + "."
        self.members = Dictionary(members.map { ($0.name, $0.value) }) { first, _ in first }
        (filesByName, isForm) = ([:], false)
    }

    /// A form's values, each a text or an array of texts, and its files.
    init(form members: [String: JSON], files: [String: [Data]]) {
        path = ""
        self.members = members.filter { $0.value != "" }
        (filesByName, isForm) = (files, true)
    }

    /// The value of a field that is there and not `null`.
    subscript(name: String) -> JSON? {
        guard let value = members[name], value != .null else { return nil }
        return value
    }

    /// The same, where it is to be no text.
    private func typed(_ name: String) -> JSON? {
        guard let value = self[name] else { return nil }
        guard isForm, case .string(let text) = value else { return value }
        guard let parsed = try? JSONParser.parse(Array(text.utf8)) else { return value }
        guard parsed != .null else { return nil }
        return parsed
    }

    /// The files of a field, in their order.
    func files(_ name: String) -> [Data] { filesByName[name] ?? [] }

    var names: Dictionary<String, JSON>.Keys { members.keys }

    /// The names and values of all fields, sorted by name.
    var all: [(name: String, value: JSON)] {
        members.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    }

    func string(_ name: String) throws(Failure) -> String? {
        guard let value = self[name] else { return nil }
        guard case .string(let string) = value else { throw mismatch(name, "a string", value) }
        return string
    }

    func requiredString(_ name: String) throws(Failure) -> String {
        guard let string = try string(name) else { throw missing(name, "a string") }
        return string
    }

    func bool(_ name: String) throws(Failure) -> Bool? {
        guard let value = typed(name) else { return nil }
        guard case .bool(let bool) = value else { throw mismatch(name, "true or false", value) }
        return bool
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(Failure) -> Int? {
        guard let value = typed(name) else { return nil }
        let expected = "an integer from \(range.lowerBound) to \(range.upperBound)"
        guard case .number(let number) = value else { throw mismatch(name, expected, value) }
        guard let integer = number.integer(as: Int.self), range.contains(integer) else {
            throw .invalid(
                "'\(path)\(name)' must be \(expected), not \(number.text).", parameter: path + name)
        }
        return integer
    }

    func number(_ name: String, in range: ClosedRange<Double>) throws(Failure) -> Double? {
        guard let value = typed(name) else { return nil }
        let expected =
            "a number from \(JSONNumber.short(range.lowerBound)) to \(JSONNumber.short(range.upperBound))"
        guard case .number(let number) = value else { throw mismatch(name, expected, value) }
        guard range.contains(number.value) else {
            throw .invalid(
                "'\(path)\(name)' must be \(expected), not \(number.text).", parameter: path + name)
        }
        return number.value
    }

    /// Any 64-bit integer, signed or not; -1 is how some clients ask for a random one.
    func seed(_ name: String) throws(Failure) -> UInt64? {
        guard let value = typed(name) else { return nil }
        let expected = "a 64-bit integer"
        guard case .number(let number) = value else { throw mismatch(name, expected, value) }
        if let seed = number.integer(as: UInt64.self) { return seed }
        guard let seed = number.integer(as: Int64.self) else {
            throw .invalid(
                "'\(path)\(name)' must be \(expected), not \(number.text).", parameter: path + name)
        }
        return seed == -1 ? nil : UInt64(bitPattern: seed)
    }

    /// How long a model is to stay: seconds, or text with units.
    func keepAlive(_ name: String = "keep_alive") throws(Failure) -> KeepAlive? {
        guard let value = typed(name) else { return nil }
        let expected = "a number of seconds (below 0: for ever) or a text such as \"5m\""
        let keepAlive: KeepAlive?
        switch value {
        case .number(let number): keepAlive = KeepAlive(seconds: number.value)
        case .string(let text): keepAlive = KeepAlive(text: text)
        default: throw mismatch(name, expected, value)
        }
        guard let keepAlive else {
            throw .invalid("'\(path)\(name)' must be \(expected).", parameter: path + name)
        }
        return keepAlive
    }

    func array(_ name: String) throws(Failure) -> [JSON]? {
        guard let value = typed(name) else { return nil }
        guard case .array(let elements) = value else { throw mismatch(name, "an array", value) }
        return elements
    }

    func object(_ name: String) throws(Failure) -> Fields? {
        guard let value = typed(name) else { return nil }
        return try Fields(value, path: path + name)
    }

    func mismatch(_ name: String, _ expected: String, _ value: JSON) -> Failure {
        .invalid("'\(path)\(name)' must be \(expected), not \(value.kind).", parameter: path + name)
    }

    func missing(_ name: String, _ expected: String) -> Failure {
        .invalid("'\(path)\(name)' is missing; it must be \(expected).", parameter: path + name)
    }
}

extension JSONNumber {
    /// A bound as a person writes it: `2` and not `2.0`.
    static func short(_ value: Double) -> String {
        Int(exactly: value).map(String.init) ?? value.description
    }
}
