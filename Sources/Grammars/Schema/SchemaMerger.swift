import StrictJSON

/// Puts schemas together that a value must all be valid by.
struct SchemaMerger {
    private enum Limit {
        static let depth = 32
    }

    let root: JSONValue

    /// A schema without `allOf`, and without `$ref` where other keywords stand beside it.
    func flattened(_ schema: Schema, depth: Int = 0) throws(GrammarError) -> Schema {
        guard schema["$ref"] != nil || schema["allOf"] != nil else { return schema }
        guard depth < Limit.depth else {
            throw schema.unsupported(
                "$ref", "the schema is put together from itself, or from too many others")
        }
        try schema.checkKeywords()
        var result = schema.without("$ref").without("allOf")
        if let reference = try schema.text("$ref") {
            let target = try Schema(
                self.target(of: reference, at: schema.path), path: String(reference.dropFirst()))
            result = try merged(result, target, depth: depth)
        }
        guard let all = schema["allOf"] else { return result }
        guard let list = all.array else {
            throw schema.invalid("allOf", "'allOf' must be an array of schemas")
        }
        for (index, part) in list.enumerated() where part != .bool(true) {
            result = try merged(result, Schema(part, path: "\(schema.path)/allOf/\(index)"), depth: depth)
        }
        return result
    }

    /// What a reference names within the document.
    func target(of reference: String, at path: String) throws(GrammarError) -> JSONValue {
        func missing(_ problem: String) -> GrammarError {
            .unsupportedSchema(path: path + "/$ref", problem: problem)
        }
        guard reference == "#" || reference.hasPrefix("#/") else {
            throw missing(
                "only references within the schema ('#/…') are supported, not '\(reference.prefix(80))'")
        }
        var value = root
        for part in reference.dropFirst().split(separator: "/") {
            let name = String(part).replacing("~1", with: "/").replacing("~0", with: "~")
            let next = value.array.flatMap { list in
                Int(name).flatMap { list.indices.contains($0) ? list[$0] : nil }
            }
            guard let member = value[name] ?? next else {
                throw missing("there is nothing at '\(reference.prefix(80))'")
            }
            value = member
        }
        return value
    }

    /// Both schemas as one; the second one's path is the result's where it says more.
    func merged(_ first: Schema, _ second: Schema, depth: Int = 0) throws(GrammarError) -> Schema {
        let (a, b) = (try flattened(first, depth: depth + 1), try flattened(second, depth: depth + 1))
        try b.checkKeywords()
        if a.constraintNames.isEmpty { return b }
        if b.constraintNames.isEmpty { return a }
        var members: [(name: String, value: JSONValue)] = []
        for name in a.constraintNames.union(b.constraintNames).sorted()
        where !["properties", "additionalProperties"].contains(name) {
            switch (a[name], b[name]) {
            case (let x?, let y?): members.append((name, try combined(name, x, y, in: b)))
            case (let x?, nil), (nil, let x?): members.append((name, x))
            case (nil, nil): break
            }
        }
        try members += properties(a, b)
        return Schema(JSONObject(members), path: first.path)
    }

    // MARK: - Keywords

    private func combined(
        _ name: String, _ a: JSONValue, _ b: JSONValue, in schema: Schema
    ) throws(GrammarError) -> JSONValue {
        if a == b { return a }
        switch name {
        case "type": return try commonTypes(a, b, in: schema)
        case "required":
            return .array((a.array ?? []) + (b.array ?? []).filter { !(a.array ?? []).contains($0) })
        case "enum": return .array((a.array ?? []).filter { (b.array ?? []).contains($0) })
        case "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties":
            if let x = a.double, let y = b.double { return x > y ? a : b }
        case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties":
            if let x = a.double, let y = b.double { return x < y ? a : b }
        case "nullable": return .bool(a.bool == true && b.bool == true)
        case "items" where a.array == nil && b.array == nil: return Self.both(a, b)
        default: break
        }
        throw schema.unsupported(
            name, "'\(name)' that must be valid together with another '\(name)' is not supported")
    }

    private func commonTypes(_ a: JSONValue, _ b: JSONValue, in schema: Schema) throws(GrammarError)
        -> JSONValue
    {
        func kinds(_ value: JSONValue) throws(GrammarError) -> [Schema.Kind] {
            try Schema(JSONObject([("type", value)]), path: schema.path).types()
        }
        let (x, y) = (try kinds(a), try kinds(b))
        func allows(_ kinds: [Schema.Kind], _ kind: Schema.Kind) -> Bool {
            kinds.contains(kind) || kind == .integer && kinds.contains(.number)
        }
        let common = x.filter { allows(y, $0) } + y.filter { !x.contains($0) && allows(x, $0) }
        return .array(common.map { .string($0.rawValue) })
    }

    /// The members of both; one that the other schema has no property for is one of its additional ones.
    private func properties(
        _ a: Schema, _ b: Schema
    ) throws(GrammarError) -> [(name: String, value: JSONValue)] {
        let (first, second) = (try a.object("properties"), try b.object("properties"))
        var members: [(name: String, value: JSONValue)] = []
        for (name, value) in first?.members ?? [] {
            let other = second?[name] ?? b["additionalProperties"]
            members.append((name, other.map { Self.both(value, $0) } ?? value))
        }
        for (name, value) in second?.members ?? [] where first?[name] == nil {
            members.append((name, a["additionalProperties"].map { Self.both($0, value) } ?? value))
        }
        var result: [(name: String, value: JSONValue)] = []
        if first != nil || second != nil { result.append(("properties", .object(JSONObject(members)))) }
        switch (a["additionalProperties"], b["additionalProperties"]) {
        case (let x?, let y?): result.append(("additionalProperties", Self.both(x, y)))
        case (let x?, nil), (nil, let x?): result.append(("additionalProperties", x))
        case (nil, nil): break
        }
        return result
    }

    private static func both(_ a: JSONValue, _ b: JSONValue) -> JSONValue {
        if a == b || b == .bool(true) { return a }
        if a == .bool(true) { return b }
        if a == .bool(false) || b == .bool(false) { return .bool(false) }
        return .object(JSONObject([("allOf", .array([a, b]))]))
    }
}
