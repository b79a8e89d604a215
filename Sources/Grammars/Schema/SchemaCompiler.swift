public import StrictJSON

extension Grammar {
    /// The JSON texts that are valid by a JSON schema.
    ///
    /// Members of an object stand in the schema's order. An object whose schema has `properties` and says nothing of
    /// others has no others. Whatever cannot be enforced is refused, so that every text is valid by the schema.
    ///
    /// - Throws: `unsupportedSchema` or `invalidSchema` with a path, and what any grammar throws.
    public init(jsonSchema schema: JSONValue) throws(GrammarError) {
        var json = try JSONRules()
        var compiler = SchemaCompiler(root: schema)
        let whole = try compiler.expression(schema, at: "", into: &json)
        try self.init(json.rules(root: whole), root: 0)
    }

    /// Any JSON object.
    public static func anyObject() throws(GrammarError) -> Grammar {
        var json = try JSONRules()
        let whole = try json.object()
        return try Grammar(json.rules(root: whole), root: 0)
    }
}

extension Grammar {
    /// A call of one of some functions, `{"name": …, "parameters": …}`, with arguments that are valid by its schema.
    ///
    /// - Parameters:
    ///   - functions: their names and the JSON schemas of their arguments; nil for one without any.
    ///   - isBegun: whether what stands before the arguments may be spelled in every way that is read as a call: a model
    ///     began it by itself.
    /// - Throws: as for a JSON schema, with the path within the function's.
    public init(
        callsOf functions: [(name: String, parameters: JSONValue?)], isBegun: Bool = false
    ) throws(GrammarError) {
        var json = try JSONRules()
        var calls: [Expression] = []
        for function in functions {
            var compiler = SchemaCompiler(root: function.parameters ?? .bool(false))
            var arguments = Expression.text("{}")
            if var schema = function.parameters {
                // Arguments are an object, also where their schema doesn't say so.
                if case .object(let members) = schema, members["type"] == nil, members["$ref"] == nil {
                    schema = .object(JSONObject(members.members + [("type", .string("object"))]))
                }
                arguments = try compiler.expression(schema, at: "", into: &json)
            }
            let name = JSONRules.literal(.string(function.name))
            let header = isBegun ? Self.anyHeader(name) : Self.header(name)
            calls.append(.sequence([header, arguments, .text("}")]))
        }
        try self.init(json.rules(root: .choice(calls)), root: 0)
    }

    private static func header(_ name: Expression) -> Expression {
        .sequence([.text(#"{"name": "#), name, .text(#", "parameters": "#)])
    }

    /// With `arguments` for `parameters`, which some models write, and any blanks.
    private static func anyHeader(_ name: Expression) -> Expression {
        let key = Expression.choice([.text(#""parameters""#), .text(#""arguments""#)])
        let parts: [Expression] = [
            .text("{"), .text(#""name""#), .text(":"), name, .text(","), key, .text(":"),
        ]
        let blanks = Expression.repeated(.scalar(ScalarSet(" \t\n\r")), minimum: 0, maximum: nil)
        return .sequence(parts.flatMap { [$0, blanks] })
    }
}

/// Turns one JSON schema into rules of JSON.
struct SchemaCompiler {
    enum Limit {
        static let depth = 64
        /// Schemas that are looked at, those that are put together from several included.
        static let schemas = 20_000
        /// Longer texts and arrays than this are never made, however many a schema allows.
        static let characters = 10_000
        static let elements = 1000
    }

    /// A member of an object.
    struct Property {
        var name: String
        var value: Expression
        var isRequired: Bool
    }

    let root: JSONValue
    private var references: [String: Expression] = [:]
    private var looked = 0
    private var depth = 0

    init(root: JSONValue) { self.root = root }

    /// The values that a schema allows.
    ///
    /// - Parameters:
    ///   - schema: the schema, within `root` or put together from its parts.
    ///   - path: a JSON pointer to it, for errors.
    ///   - json: where rules go.
    /// - Returns: a grammar of their texts.
    /// - Throws: `GrammarError` with the place of what cannot be enforced.
    mutating func expression(
        _ schema: JSONValue, at path: String, into json: inout JSONRules
    ) throws(GrammarError) -> Expression {
        looked += 1
        depth += 1
        defer { depth -= 1 }
        guard looked <= Limit.schemas else { throw .tooLarge(what: "the schema", limit: Limit.schemas) }
        guard depth <= Limit.depth else {
            throw .tooLarge(what: "the schema's depth at \(path)", limit: Limit.depth)
        }
        switch schema {
        case .bool(true): return try json.value()
        case .bool(false): return JSONRules.never
        case .object(let members): return try expression(Schema(members, path: path), into: &json)
        default:
            throw .invalidSchema(path: path, problem: "a schema must be an object, not \(schema.described)")
        }
    }

    private mutating func expression(
        _ schema: Schema, into json: inout JSONRules
    ) throws(GrammarError) -> Expression {
        try schema.checkKeywords()
        if let reference = try schema.text("$ref"), schema.constraintNames == ["$ref"] {
            return try self.reference(reference, at: schema.path, into: &json)
        }
        let merger = SchemaMerger(root: root)
        let schema = try merger.flattened(schema)
        if let alternatives = try self.alternatives(schema, merger, into: &json) { return alternatives }
        if schema["enum"] != nil || schema["const"] != nil { return try literals(schema) }
        let types = try schema.types()
        if types.isEmpty, schema["type"] == nil { return try json.value() }
        var choices: [Expression] = []
        for type in types { choices.append(try expression(type, schema, into: &json)) }
        return choices.count == 1 ? choices[0] : .choice(choices)
    }

    private mutating func expression(
        _ type: Schema.Kind, _ schema: Schema, into json: inout JSONRules
    ) throws(GrammarError) -> Expression {
        switch type {
        case .null: .text("null")
        case .boolean: .choice([.text("true"), .text("false")])
        case .integer, .number: try number(schema, takesFractions: type == .number)
        case .string: try string(schema, into: &json)
        case .array: try array(schema, into: &json)
        case .object: try object(schema, into: &json)
        }
    }

    // MARK: - Combinations

    /// A rule for what a reference names; one for all its uses, so that a schema may contain itself.
    private mutating func reference(
        _ reference: String, at path: String, into json: inout JSONRules
    ) throws(GrammarError) -> Expression {
        if let known = references[reference] { return known }
        let target = try SchemaMerger(root: root).target(of: reference, at: path)
        let rule = try json.rules.reserve(reference)
        references[reference] = .rule(rule)
        json.rules.define(rule, try expression(target, at: String(reference.dropFirst()), into: &json))
        return .rule(rule)
    }

    private mutating func alternatives(
        _ schema: Schema, _ merger: SchemaMerger, into json: inout JSONRules
    ) throws(GrammarError) -> Expression? {
        let names = ["anyOf", "oneOf"].filter { schema[$0] != nil }
        guard let name = names.first else { return nil }
        guard names.count == 1 else {
            throw schema.unsupported("anyOf", "'anyOf' beside 'oneOf' is not supported")
        }
        guard let list = schema[name]?.array, !list.isEmpty else {
            throw schema.invalid(name, "'\(name)' must be an array of schemas that is not empty")
        }
        if name == "oneOf" { try SchemaOverlap(root: root).refuseOverlap(list, schema) }
        let rest = schema.without(name)
        var choices: [Expression] = []
        for (index, alternative) in list.enumerated() {
            let path = "\(schema.path)/\(name)/\(index)"
            // Alone it keeps its reference, and so may contain itself.
            if rest.constraintNames.isEmpty {
                choices.append(try expression(alternative, at: path, into: &json))
            } else if alternative != .bool(false) {
                let other = alternative == .bool(true) ? JSONValue.object(JSONObject()) : alternative
                let merged = try merger.merged(rest, Schema(other, path: path))
                choices.append(try expression(.object(merged.members), at: path, into: &json))
            }
        }
        return .choice(choices)
    }

    private func literals(_ schema: Schema) throws(GrammarError) -> Expression {
        for name in schema.constraintNames where !["enum", "const", "type", "nullable"].contains(name) {
            throw schema.unsupported(name, "'\(name)' beside 'enum' or 'const' is not supported")
        }
        return .choice(try schema.literals().map(JSONRules.literal))
    }

    // MARK: - Numbers

    private func number(_ schema: Schema, takesFractions: Bool) throws(GrammarError) -> Expression {
        let low = try schema.bound("minimum", "exclusiveMinimum", isLow: true)
        let high = try schema.bound("maximum", "exclusiveMaximum", isLow: false)
        if low == nil, high == nil { return takesFractions ? JSONRules.number : JSONRules.integer }
        guard let range = DecimalRange(low: low, high: high, takesFractions: takesFractions) else {
            throw schema.unsupported(
                schema["minimum"] != nil ? "minimum" : "maximum",
                "bounds of more than \(JSONRules.digits) digits are not supported")
        }
        return range.expression
    }

    // MARK: - Texts

    private func string(_ schema: Schema, into json: inout JSONRules) throws(GrammarError) -> Expression {
        let least = try schema.count("minLength") ?? 0
        let most = try schema.count("maxLength")
        guard least <= most ?? least else { return JSONRules.never }
        let names = ["pattern", "format"].filter { schema[$0] != nil }
        guard let name = names.first else {
            return try json.string(
                minimum: least, maximum: most.map { min($0, max(least, Limit.characters)) })
        }
        guard names.count == 1, least == 0, most == nil else {
            throw schema.unsupported(
                name,
                "'\(name)' beside \(names.count > 1 ? "'format'" : "'minLength' or 'maxLength'") is not supported"
            )
        }
        let text = try schema.text(name) ?? ""
        if name == "format" {
            guard let format = StringFormat(rawValue: text) else {
                let known = StringFormat.allCases.map(\.rawValue).joined(separator: ", ")
                throw schema.unsupported(
                    name, "the format '\(text.prefix(80))' is not supported; these are: \(known)")
            }
            return try pattern(format.pattern, schema, name, into: &json)
        }
        return try pattern(text, schema, name, into: &json)
    }

    private func pattern(
        _ text: String, _ schema: Schema, _ name: String, into json: inout JSONRules
    ) throws(GrammarError) -> Expression {
        let anything = Expression.repeated(try json.character(), minimum: 0, maximum: nil)
        do throws(RegularExpression.Problem) {
            return JSONRules.quoted(try RegularExpression.expression(text, anything: anything))
        } catch {
            throw schema.unsupported(name, "the pattern cannot be enforced: \(error.text)")
        }
    }
}
