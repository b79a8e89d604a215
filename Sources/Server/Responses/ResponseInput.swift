import AssistantAPI

/// The items that a request brings, as they are kept and told again: each with an id, and messages with parts.
enum ResponseInput {
    /// The items of `input`, which is a string or has them; what is in one is read when messages are made of it.
    ///
    /// - Parameters:
    ///   - fields: The request's.
    ///   - suffix: What the ids have that are made here.
    /// - Returns: The items.
    /// - Throws: `Failure` 400 that names the field.
    static func items(_ fields: Fields, suffix: String) throws(Failure) -> [JSON] {
        switch fields["input"] {
        case .string(let text):
            return [try item(["role": "user", "content": .string(text)], path: "input", id: suffix + "i0")]
        case .array(let elements):
            guard !elements.isEmpty else {
                throw .invalid("'input' is empty; it must hold at least one item.", parameter: "input")
            }
            var items: [JSON] = []
            for (index, element) in elements.enumerated() {
                items.append(try item(element, path: "input[\(index)]", id: "\(suffix)i\(index)"))
            }
            return items
        case nil: throw fields.missing("input", "a string or an array of items")
        case .some(let value): throw fields.mismatch("input", "a string or an array of items", value)
        }
    }

    private static func item(_ json: JSON, path: String, id: String) throws(Failure) -> JSON {
        let fields = try Fields(json, path: path)
        let type = try fields.string("type") ?? "message"
        let given = try fields.string("id")
        let prefix = prefixes[type] ?? "item"
        let head: [(String, JSON)] = [
            ("id", .string(given ?? "\(prefix)_\(id)")), ("type", .string(type)),
            ("status", .string(try fields.string("status") ?? "completed")),
        ]
        let rest = json.removing(["id", "type", "status"])
        guard case .object(let members) = rest else { return rest }
        let all: [(String, JSON)] = head + members.map { ($0.name, $0.value) }
        var item = JSON(all)
        switch (type, fields["content"]) {
        case ("message", .string(let text)?):
            item = item.setting("content", [part(text, of: try fields.string("role"))])
        // Pictures are kept once, as files.
        case ("image_generation_call", _): item = item.setting("result", .null)
        default: break
        }
        return item
    }

    private static let prefixes = [
        "message": "msg", "function_call": "fc", "function_call_output": "fco",
        "image_generation_call": ResponseItem.picturePrefix,
    ]

    private static func part(_ text: String, of role: String?) -> JSON {
        role == "assistant"
            ? ResponseItem.part(text) : ["type": "input_text", "text": .string(text)]
    }
}
