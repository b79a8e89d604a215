import StrictJSON

extension SchemaCompiler {
    // MARK: - Arrays

    mutating func array(_ schema: Schema, into json: inout JSONRules) throws(GrammarError) -> Expression {
        if try schema.flag("uniqueItems") == true {
            throw schema.unsupported("uniqueItems", "'uniqueItems' is not supported")
        }
        let least = try schema.count("minItems") ?? 0
        let most = try schema.count("maxItems").map { min($0, max(least, Limit.elements)) }
        // Older drafts have a list of first items in `items`, and what follows in `additionalItems`.
        let isOld = schema["items"]?.array != nil
        let (firstName, restName) = isOld ? ("items", "additionalItems") : ("prefixItems", "items")
        if !isOld, schema["additionalItems"] != nil, schema["items"] != nil {
            throw schema.unsupported("additionalItems", "'additionalItems' needs 'items' to be an array")
        }
        var first: [Expression] = []
        if let list = schema[firstName] {
            guard let list = list.array else {
                throw schema.invalid(firstName, "'\(firstName)' must be an array")
            }
            for (index, item) in list.enumerated() {
                first.append(try expression(item, at: "\(schema.path)/\(firstName)/\(index)", into: &json))
            }
        }
        let restSchema = schema[restName] ?? .bool(true)
        let rest = try json.rules.add(
            "item", expression(restSchema, at: "\(schema.path)/\(restName)", into: &json))
        return .sequence([.text("["), elements(first[...], rest, least: least, most: most), .text("]")])
    }

    /// The first elements by their own schemas, then others.
    private func elements(
        _ first: ArraySlice<Expression>, _ rest: Expression, least: Int, most: Int?
    ) -> Expression {
        guard least <= most ?? least else { return JSONRules.never }
        if first.isEmpty { return JSONRules.list(rest, minimum: least, maximum: most) }
        let given = Array(first.prefix(most ?? first.count))
        var tail = Expression.repeated(
            .sequence([JSONRules.comma, rest]), minimum: max(0, least - given.count),
            maximum: most.map { $0 - given.count })
        // From the last one on: what is beyond the least number may be left out, with all that follows.
        for (index, element) in given.enumerated().reversed() {
            let one = Expression.sequence((index > 0 ? [JSONRules.comma] : []) + [element, tail])
            tail = index >= least ? .optional(one) : one
        }
        return tail
    }

    // MARK: - Objects

    mutating func object(_ schema: Schema, into json: inout JSONRules) throws(GrammarError) -> Expression {
        var properties: [Property] = []
        let required = try schema.names("required")
        let additional = schema["additionalProperties"]
        for (name, value) in try schema.object("properties")?.members ?? [] {
            properties.append(
                Property(
                    name: name,
                    value: try expression(
                        value, at: "\(schema.path)/properties/\(Schema.escaped(name))", into: &json),
                    isRequired: required.contains(name)))
        }
        let known = Set(properties.map { ExactName($0.name) })
        for name in required where !known.contains(ExactName(name)) {
            let value = try expression(additional ?? .bool(true), at: "\(schema.path)/required", into: &json)
            properties.append(Property(name: name, value: value, isRequired: true))
        }
        let isOpen = additional.map { $0 != .bool(false) } ?? properties.isEmpty
        try checkCounts(schema, properties, isOpen: isOpen)
        var extra: Expression?
        if isOpen {
            let value = try expression(
                additional ?? .bool(true), at: "\(schema.path)/additionalProperties", into: &json)
            extra = try json.rules.add(
                "extra", .sequence([try key(except: properties.map(\.name), schema), JSONRules.colon, value]))
        }
        return .sequence([.text("{"), try members(properties, extra, into: &json), .text("}")])
    }

    private func checkCounts(_ schema: Schema, _ properties: [Property], isOpen: Bool) throws(GrammarError) {
        if let least = try schema.count("minProperties"), least > properties.count(where: \.isRequired) {
            throw schema.unsupported(
                "minProperties", "'minProperties' is not supported beyond the required ones")
        }
        if let most = try schema.count("maxProperties"), isOpen || most < properties.count {
            throw schema.unsupported(
                "maxProperties", "'maxProperties' is not supported below the number of properties")
        }
    }

    /// The members in their order, each optional one there or not, then any number of others.
    ///
    /// Two rules for each place, of what may follow after nothing and after something, from the last one on.
    private func members(
        _ properties: [Property], _ extra: Expression?, into json: inout JSONRules
    ) throws(GrammarError) -> Expression {
        var first = extra.map { JSONRules.list($0) } ?? .nothing
        var later =
            extra.map { Expression.repeated(.sequence([JSONRules.comma, $0]), minimum: 0, maximum: nil) }
            ?? .nothing
        for property in properties.reversed() {
            let pair = try json.rules.add(
                property.name,
                .sequence([JSONRules.literal(.string(property.name)), JSONRules.colon, property.value]))
            let next = try json.rules.add("members", later)
            let beginning = Expression.sequence([pair, next])
            let going = Expression.sequence([JSONRules.comma, pair, next])
            if property.isRequired {
                (first, later) = (beginning, going)
            } else {
                (first, later) = (
                    .choice([beginning, try json.rules.add("members", first)]), .choice([going, next])
                )
            }
        }
        return first
    }

    /// A name that is none of those, so that no member occurs twice; made of characters that need no escape.
    private func key(except names: [String], _ schema: Schema) throws(GrammarError) -> Expression {
        let limit = 256
        if names.contains(where: { $0.unicodeScalars.count > limit }) {
            throw .tooLarge(
                what: "a property's name beside 'additionalProperties' at \(schema.path)", limit: limit)
        }
        let taken = Set(names.map(ExactName.init)).map { $0.text.unicodeScalars.map(\.value)[...] }
        return JSONRules.quoted(Self.text(except: taken + [[]]))
    }

    private static func text(except taken: [ArraySlice<UInt32>]) -> Expression {
        let plain = JSONRules.plain
        let any = Expression.repeated(.scalar(plain), minimum: 0, maximum: nil)
        let byFirst = Dictionary(grouping: taken.filter { !$0.isEmpty }) { $0[$0.startIndex] }
            .filter { plain.contains($0.key) }
        var choices = [
            Expression.sequence([.scalar(plain.subtracting(ScalarSet(byFirst.keys.map { $0...$0 }))), any])
        ]
        for (scalar, rest) in byFirst.sorted(by: { $0.key < $1.key }) {
            choices.append(
                .sequence([.scalar(ScalarSet([scalar...scalar])), text(except: rest.map { $0.dropFirst() })]))
        }
        if !taken.contains(where: \.isEmpty) { choices.append(.nothing) }
        return .choice(choices)
    }
}
