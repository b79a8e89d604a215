import AssistantAPI

/// The body of `POST /api/chat`.
struct OllamaChatCall: Sendable {
    let call: OllamaCall
    let work: OllamaCall.Work

    init(_ fields: Fields) throws(Failure) {
        call = try OllamaCall(fields)
        if let tools = try fields.array("tools"), !tools.isEmpty {
            throw .unsupported("'tools' are not supported yet; leave them out.", parameter: "tools")
        }
        let elements = try fields.array("messages") ?? []
        guard !elements.isEmpty else {
            work = call.emptyWork
            return
        }
        var messages: [ChatMessage] = []
        for (index, element) in elements.enumerated() {
            let fields = try Fields(element, path: "messages[\(index)]")
            try OllamaCall.refuseImages(fields)
            messages.append(try ChatMessage(fields))
        }
        work = .answer(try call.completion(.chat(messages), fields))
    }
}
