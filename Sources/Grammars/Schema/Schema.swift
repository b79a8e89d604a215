import StrictJSON

/// A JSON schema that is an object, with its place for errors.
struct Schema {
    /// A type of values.
    enum Kind: String, CaseIterable {
        case object, array, string, number, integer, boolean, null
    }

    let members: JSONObject
    /// A JSON pointer.
    let path: String

    init(_ members: JSONObject, path: String) {
        self.members = members
        self.path = path
    }

    init(_ value: JSONValue, path: String) throws(GrammarError) {
        guard case .object(let members) = value else {
            throw .invalidSchema(
                path: path, problem: "a schema must be an object here, not \(value.described)")
        }
        self.init(members, path: path)
    }

    subscript(name: String) -> JSONValue? { members[name] }

    func without(_ name: String) -> Schema {
        Schema(JSONObject(members.members.filter { $0.name != name }), path: path)
    }

    // MARK: - Keywords

    /// Keywords that a type has for itself.
    static let typed: [Kind: [String]] = [
        .object: [
            "properties", "required", "additionalProperties", "minProperties", "maxProperties",
        ],
        .array: ["items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems"],
        .string: ["minLength", "maxLength", "pattern", "format"],
        .number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
    ]
    private static let common: Set<String> = [
        "type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "nullable",
    ]
    /// What says nothing about which values are valid.
    private static let annotations: Set<String> = [
        "title", "description", "default", "example", "examples", "$schema", "$id", "id", "$comment", "$defs",
        "definitions", "deprecated", "readOnly", "writeOnly", "discriminator", "xml", "externalDocs",
        "strict",
        "contentEncoding", "contentMediaType",
    ]
    private static let constraints = common.union(typed.values.joined())

    /// The names of the keywords that say which values are valid.
    var constraintNames: Set<String> { Set(members.members.map(\.name)).intersection(Self.constraints) }

    /// - Throws: `unsupportedSchema` that names a keyword which cannot be enforced.
    func checkKeywords() throws(GrammarError) {
        for (name, _) in members.members
        where !Self.constraints.contains(name) && !Self.annotations.contains(name) && !name.hasPrefix("x-") {
            throw unsupported(name, "the keyword '\(name.prefix(80))' is not supported")
        }
    }

    func unsupported(_ name: String, _ problem: String) -> GrammarError {
        .unsupportedSchema(path: "\(path)/\(Self.escaped(name))", problem: problem)
    }

    func invalid(_ name: String, _ problem: String) -> GrammarError {
        .invalidSchema(path: "\(path)/\(Self.escaped(name))", problem: problem)
    }

    /// A name as a part of a JSON pointer.
    static func escaped(_ name: String) -> String {
        String(name.prefix(80)).replacing("~", with: "~0").replacing("/", with: "~1")
    }

    // MARK: - Types

    /// The types that are allowed: those that are named, else those that the keywords are about.
    func types() throws(GrammarError) -> [Kind] {
        var names: [JSONValue]
        switch members["type"] {
        case .array(let list)?: names = list
        case let name?: names = [name]
        case nil:
            let inferred = Kind.allCases.filter { kind in
                Self.typed[kind]?.contains { members[$0] != nil } ?? false
            }
            return inferred
        }
        if try flag("nullable") == true { names.append(.string("null")) }
        var kinds: [Kind] = []
        for name in names {
            guard let kind = name.string.flatMap(Kind.init) else {
                let known = Kind.allCases.map(\.rawValue).joined(separator: ", ")
                throw invalid("type", "'type' must be of \(known), not \(name.described)")
            }
            if !kinds.contains(kind) { kinds.append(kind) }
        }
        // Every integer is a number.
        return kinds.contains(.number) ? kinds.filter { $0 != .integer } : kinds
    }

    /// The values of `enum` and `const` that the type allows.
    func literals() throws(GrammarError) -> [JSONValue] {
        var values: [JSONValue]
        switch members["enum"] {
        case .array(let list)?: values = list
        case nil: values = []
        case let other?: throw invalid("enum", "'enum' must be an array, not \(other.described)")
        }
        if let constant = members["const"] {
            values = members["enum"] == nil || values.contains(constant) ? [constant] : []
        }
        if try flag("nullable") == true { values.append(.null) }
        guard members["type"] != nil else { return values }
        let kinds = try types()
        return values.filter { value in kinds.contains { $0.contains(value) } }
    }

    // MARK: - Values of keywords

    func text(_ name: String) throws(GrammarError) -> String? {
        guard let value = members[name] else { return nil }
        guard let text = value.string else {
            throw invalid(name, "'\(name)' must be a string, not \(value.described)")
        }
        return text
    }

    func flag(_ name: String) throws(GrammarError) -> Bool? {
        guard let value = members[name] else { return nil }
        guard let flag = value.bool else {
            throw invalid(name, "'\(name)' must be true or false, not \(value.described)")
        }
        return flag
    }

    func count(_ name: String) throws(GrammarError) -> Int? {
        guard let value = members[name] else { return nil }
        guard let count = value.int, count >= 0 else {
            throw invalid(name, "'\(name)' must be an integer from 0 on, not \(value.described)")
        }
        return count
    }

    func object(_ name: String) throws(GrammarError) -> JSONObject? {
        guard let value = members[name] else { return nil }
        guard let object = value.object else {
            throw invalid(name, "'\(name)' must be an object, not \(value.described)")
        }
        return object
    }

    func names(_ name: String) throws(GrammarError) -> [String] {
        guard let value = members[name] else { return [] }
        let names = value.array?.compactMap(\.string)
        guard let names, names.count == value.array?.count else {
            throw invalid(name, "'\(name)' must be an array of strings")
        }
        return names
    }

    /// One side of a range of numbers; the narrower of the two keywords where both are there.
    ///
    /// - Throws: `invalidSchema`, and `unsupportedSchema` for a bound that no number of few digits can meet.
    func bound(
        _ name: String, _ exclusiveName: String, isLow: Bool
    ) throws(GrammarError) -> (text: String, isIncluded: Bool)? {
        var bounds: [(value: JSONValue, isIncluded: Bool)] = []
        if let value = members[name] {
            // In draft 4 the other keyword says whether the bound itself belongs to the range.
            bounds.append((value, members[exclusiveName]?.bool != true))
        }
        if let value = members[exclusiveName], value.bool == nil { bounds.append((value, false)) }
        for (value, _) in bounds where value.double == nil {
            throw invalid(name, "'\(name)' and '\(exclusiveName)' must be numbers, not \(value.described)")
        }
        // The exclusive one of two equal bounds is narrower.
        let narrowest = bounds.max { a, b in
            let (x, y) = (a.value.double ?? 0, b.value.double ?? 0)
            if x == y { return a.isIncluded && !b.isIncluded }
            return isLow ? x < y : x > y
        }
        guard let narrowest, let number = narrowest.value.double else { return nil }
        let limit = 1e15
        if isLow ? number <= -limit : number >= limit { return nil }
        guard abs(number) < limit else {
            throw unsupported(name, "bounds of more than \(JSONRules.digits) digits are not supported")
        }
        return (narrowest.value.described, narrowest.isIncluded)
    }
}

extension Schema.Kind {
    /// Whether a value is of this type.
    func contains(_ value: JSONValue) -> Bool {
        switch (self, value) {
        case (.object, .object), (.array, .array), (.string, .string), (.boolean, .bool), (.null, .null): true
        case (.number, .integer), (.number, .unsigned), (.number, .number): true
        case (.integer, _): value.int != nil || { if case .unsigned = value { true } else { false } }()
        default: false
        }
    }
}
