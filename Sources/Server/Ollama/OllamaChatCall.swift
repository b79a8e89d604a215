import AssistantAPI

/// The body of `POST /api/chat`.
struct OllamaChatCall: Sendable {
    let call: OllamaCall
    let work: OllamaCall.Work

    init(_ fields: Fields) throws(Failure) {
        call = try OllamaCall(fields)
        let elements = try fields.array("messages") ?? []
        guard !elements.isEmpty else {
            work = call.emptyWork
            return
        }
        for (index, element) in elements.enumerated() {
            try OllamaCall.refuseImages(Fields(element, path: "messages[\(index)]"))
        }
        var request = try call.completion(.chat(ChatMessage.readAll(fields)), fields)
        request.toolUse = try ToolUse.read(fields)
        work = .answer(request)
    }
}
