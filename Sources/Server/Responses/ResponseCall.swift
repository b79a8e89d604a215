import Assistant
import AssistantAPI

/// The body of `POST /v1/responses`: what is asked for, and what of it the response tells again.
struct ResponseCall: Sendable {
    let id: StoredResponse.ID
    /// What stands before all messages, of this response alone.
    let instructions: String?
    /// The response that this one follows.
    let previous: StoredResponse.ID?
    let input: [JSON]
    let tools: ResponseTools
    let isStored: Bool
    let streams: Bool
    /// Without messages, which the chain has too.
    let request: CompletionRequest
    /// Members of the response that are the request's.
    let echo: [(String, JSON)]

    /// - Throws: `Failure` 400 that names the field.
    init(_ fields: Fields) throws(Failure) {
        try Self.refuseUnsupported(fields)
        let suffix = ResponseService.makeID()
        id = "resp_" + suffix
        streams = try fields.bool("stream") ?? false
        isStored = try fields.bool("store") ?? true
        instructions = try fields.string("instructions")
        previous = try fields.string("previous_response_id")
        tools = try ResponseTools(fields, streams: streams)
        input = try ResponseInput.items(fields, suffix: suffix)
        var settings = try GenerationSettings(fields)
        settings.maxTokens = try fields.integer(
            "max_output_tokens", in: 1...GenerationSettings.tokenLimit)
        request = CompletionRequest(
            model: try fields.string("model"), prompt: .chat([]), settings: settings,
            keepAlive: try fields.keepAlive(), constraint: try OutputConstraint.readText(fields),
            toolUse: tools.use)
        echo = try Self.echo(fields, isParallel: tools.isParallel, isStored: isStored)
    }

    private enum Truncation: String, CaseIterable { case auto, disabled }

    private static func echo(
        _ fields: Fields, isParallel: Bool, isStored: Bool
    ) throws(Failure) -> [(String, JSON)] {
        let truncation = try fields.choice("truncation", among: Truncation.allCases) ?? .disabled
        let text: JSON = fields["text"] ?? [:]
        let hasFormat = try fields.object("text")?.object("format") != nil
        // Start pictures came with the request, and are not sent back.
        let tools = (try fields.array("tools") ?? []).map { $0.removing(["init_image", "mask"]) }
        func given(_ name: String) -> (String, JSON) { (name, fields[name] ?? .null) }
        return [
            given("instructions"), given("max_output_tokens"), ("metadata", try metadata(fields)),
            ("parallel_tool_calls", .bool(isParallel)), given("previous_response_id"),
            ("store", .bool(isStored)), given("temperature"),
            ("text", hasFormat ? text : text.setting("format", ["type": "text"])),
            ("tool_choice", fields["tool_choice"] ?? "auto"), ("tools", .array(tools)), given("top_p"),
            ("truncation", .string(truncation.rawValue)),
        ]
    }

    /// At most 16 texts with names.
    private static func metadata(_ fields: Fields) throws(Failure) -> JSON {
        guard let metadata = try fields.object("metadata") else { return [:] }
        let isShort = metadata.names.count <= 16 && metadata.names.allSatisfy { $0.count <= 64 }
        guard isShort else {
            throw .invalid(
                "'metadata' must be at most 16 texts, with names of at most 64 characters.",
                parameter: "metadata")
        }
        for name in metadata.names.sorted() {
            guard try metadata.requiredString(name).count <= 512 else {
                throw .invalid(
                    "'\(metadata.path)\(name)' must be at most 512 characters.",
                    parameter: metadata.path + name)
            }
        }
        return fields["metadata"] ?? [:]
    }

    /// What would change the response's meaning if it were ignored is refused by name.
    private static func refuseUnsupported(_ fields: Fields) throws(Failure) {
        if try fields.bool("background") == true {
            throw .unsupported(
                "'background' is not supported; responses are made while their client waits.",
                parameter: "background")
        }
        let others = [
            "conversation": "take 'previous_response_id'", "prompt": "send 'instructions' and 'input'",
            "messages": "it is 'input' here", "response_format": "it is 'text.format' here",
            "max_tool_calls": "'parallel_tool_calls' false allows one",
        ]
        for (name, instead) in others.sorted(by: { $0.key < $1.key }) where fields[name] != nil {
            throw .unsupported("'\(name)' is not supported; \(instead).", parameter: name)
        }
        guard try fields.integer("top_logprobs", in: 0...20) ?? 0 == 0 else {
            throw .unsupported(
                "'top_logprobs' is not supported here; /v1/chat/completions has it.",
                parameter: "top_logprobs")
        }
    }
}
