import StrictJSON

/// Whether a text that was made for one alternative of `oneOf` can be valid by another, which would make it invalid.
struct SchemaOverlap {
    private enum Limit {
        static let depth = 8
        static let alternatives = 64
    }

    let root: JSONValue

    /// - Throws: `unsupportedSchema` when two alternatives are not known to exclude each other.
    func refuseOverlap(_ alternatives: [JSONValue], _ schema: Schema) throws(GrammarError) {
        guard alternatives.count <= Limit.alternatives else {
            throw .tooLarge(what: "'oneOf' at \(schema.path)", limit: Limit.alternatives)
        }
        for (index, one) in alternatives.enumerated() {
            for (offset, other) in alternatives[(index + 1)...].enumerated()
            where try !areDisjoint(one, other, at: schema.path, depth: 0) {
                throw schema.unsupported(
                    "oneOf",
                    "the alternatives \(index) and \(index + 1 + offset) of 'oneOf' may both be valid; use 'anyOf', "
                        + "or tell them apart by type or by a required property of constant value")
            }
        }
    }

    private func areDisjoint(
        _ one: JSONValue, _ other: JSONValue, at path: String, depth: Int
    ) throws(GrammarError) -> Bool {
        if one == .bool(false) || other == .bool(false) { return true }
        guard depth < Limit.depth, one.object != nil, other.object != nil else { return false }
        let merger = SchemaMerger(root: root)
        let a = try merger.flattened(Schema(one, path: path))
        let b = try merger.flattened(Schema(other, path: path))
        guard let common = try commonKinds(a, b) else { return false }
        if common.isEmpty { return true }
        if let x = try finite(a), let y = try finite(b) { return !x.contains { y.contains($0) } }
        guard common == [.object] else { return false }
        guard try excludes(a, b, depth: depth) else { return false }
        return try excludes(b, a, depth: depth)
    }

    /// The types of both; nil where one may be of any.
    private func commonKinds(_ a: Schema, _ b: Schema) throws(GrammarError) -> Set<Schema.Kind>? {
        guard let x = try kinds(a), let y = try kinds(b) else { return nil }
        return x.intersection(y)
    }

    private func kinds(_ schema: Schema) throws(GrammarError) -> Set<Schema.Kind>? {
        guard schema["anyOf"] == nil, schema["oneOf"] == nil else { return nil }
        let kinds: Set<Schema.Kind>
        if let values = try finite(schema) {
            kinds = Set(Schema.Kind.allCases.filter { kind in values.contains { kind.contains($0) } })
        } else {
            kinds = Set(try schema.types())
        }
        if kinds.isEmpty, schema["type"] == nil, schema["enum"] == nil, schema["const"] == nil { return nil }
        return kinds.contains(.number) ? kinds.union([.integer]) : kinds
    }

    private func finite(_ schema: Schema) throws(GrammarError) -> [JSONValue]? {
        schema["enum"] == nil && schema["const"] == nil ? nil : try schema.literals()
    }

    /// Whether no object that is made for `made` is valid by `other`.
    private func excludes(_ made: Schema, _ other: Schema, depth: Int) throws(GrammarError) -> Bool {
        let own = try made.object("properties") ?? JSONObject()
        let others = try other.object("properties") ?? JSONObject()
        let required = try made.names("required")
        let isClosed =
            made["additionalProperties"].map { $0 == .bool(false) } ?? (own.count + required.count > 0)
        let wanted = try other.names("required")
        if isClosed, wanted.contains(where: { own[$0] == nil && !required.contains($0) }) {
            return true
        }
        if other["additionalProperties"] == .bool(false), required.contains(where: { others[$0] == nil }) {
            return true
        }
        for name in required {
            guard let mine = own[name], let theirs = others[name] else { continue }
            if try areDisjoint(mine, theirs, at: made.path, depth: depth + 1) { return true }
        }
        return false
    }
}
