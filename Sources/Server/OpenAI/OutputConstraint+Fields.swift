import AssistantAPI

extension OutputConstraint {
    /// What `response_format` (OpenAI's), `grammar` or `json_schema` (llama-server's) asks for; nil where the text is
    /// free.
    ///
    /// - Throws: `Failure` 400 that names the field.
    static func read(_ fields: Fields) throws(Failure) -> OutputConstraint? {
        let format = try fields.object("response_format").flatMap { (format) throws(Failure) in
            try responseFormat(format)
        }
        let grammar = try fields.string("grammar").flatMap { $0.isEmpty ? nil : OutputConstraint.grammar($0) }
        let schema = try fields.schema("json_schema")
        let wanted = [("response_format", format), ("grammar", grammar), ("json_schema", schema)]
            .filter { $0.1 != nil }
        guard wanted.count <= 1 else {
            throw .invalid(
                "'\(wanted[0].0)' and '\(wanted[1].0)' cannot both be given.",
                parameter: fields.path + wanted[1].0)
        }
        return wanted.first?.1
    }

    /// What `text.format` of a response asks for, which has the schema beside its type.
    ///
    /// - Throws: `Failure` 400 that names the field.
    static func readText(_ fields: Fields) throws(Failure) -> OutputConstraint? {
        guard let format = try fields.object("text")?.object("format") else { return nil }
        return try responseFormat(format, isFlat: true)
    }

    private static func responseFormat(
        _ format: Fields, isFlat: Bool = false
    ) throws(Failure) -> OutputConstraint? {
        switch try format.requiredString("type") {
        case "text": return nil
        // llama-server's clients put a schema beside it.
        case "json_object": return try format.schema("schema") ?? .jsonObject
        case "json_schema":
            let nested = isFlat ? format : try format.object("json_schema")
            guard let wrapper = nested else {
                throw format.missing("json_schema", "an object with a schema")
            }
            guard let schema = try wrapper.schema("schema") else {
                throw wrapper.missing("schema", "a JSON schema")
            }
            return schema
        case let type:
            throw .invalid(
                "'\(format.path)type' must be text, json_object or json_schema, not '\(type.prefix(80))'.",
                parameter: format.path + "type")
        }
    }
}

extension Fields {
    /// A JSON schema as what a text must be; whether it can be enforced is found out later.
    func schema(_ name: String) throws(Failure) -> OutputConstraint? {
        guard let value = self[name] else { return nil }
        guard case .object = value else { throw mismatch(name, "a JSON schema", value) }
        return .jsonSchema(value.text)
    }
}
