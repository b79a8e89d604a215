import AssistantAPI

/// The body of `POST /api/generate`: text that goes on, or a picture, as the model is one or the other.
struct OllamaGenerateCall: Sendable {
    let call: OllamaCall
    let work: OllamaCall.Work
    /// The prompt is taken as it is, control tokens that are written in it included.
    let isRaw: Bool

    init(_ fields: Fields, kind: ModelSummary.Kind) throws(Failure) {
        call = try OllamaCall(fields)
        let prompt = try fields.string("prompt") ?? ""
        isRaw = try fields.bool("raw") ?? false
        switch kind {
        case _ where prompt.isEmpty: work = call.emptyWork
        case .chat: work = .answer(try Self.completion(prompt, isRaw: isRaw, call, fields))
        case .picture: work = .picture(try Self.picture(prompt, call, fields))
        }
    }

    // MARK: - Text

    private static func completion(
        _ prompt: String, isRaw: Bool, _ call: OllamaCall, _ fields: Fields
    ) throws(Failure) -> CompletionRequest {
        try OllamaCall.refuseImages(fields)
        for name in ["suffix", "template"] {
            guard let text = try fields.string(name), !text.isEmpty else { continue }
            throw .unsupported(
                "'\(name)' is not supported; with 'raw' the prompt can hold a template's text itself.",
                parameter: name)
        }
        let system = try fields.string("system") ?? ""
        let context = try context(fields)
        guard !isRaw else {
            guard system.isEmpty, context.isEmpty else {
                throw .invalid("'raw' goes with neither 'system' nor 'context'.", parameter: "raw")
            }
            return try call.completion(.text(prompt), fields)
        }
        let question = ChatMessage(role: .user, content: prompt)
        let words = system.isEmpty ? [question] : [ChatMessage(role: .system, content: system), question]
        var request = try call.completion(.chat(words), fields)
        request.context = context
        request.reportsTokens = true
        return request
    }

    private static func context(_ fields: Fields) throws(Failure) -> [Int32] {
        guard let elements = try fields.array("context"), !elements.isEmpty else { return [] }
        return try TextCompletionCall.tokens(elements, path: "context")
    }

    // MARK: - Pictures

    /// Ollama's fields of pictures, and those that the other APIs here have by the same names.
    private static func picture(
        _ prompt: String, _ call: OllamaCall, _ fields: Fields
    ) throws(Failure) -> PictureRequest {
        var request = PictureRequest(prompt: prompt)
        try request.readSettings(fields)
        request.model = call.model
        request.width = try fields.integer("width", in: 1...65_536)
        request.height = try fields.integer("height", in: 1...65_536)
        request.partialImages = try fields.integer("partial_images", in: 0...3)
        let seed = try fields.object("options")?.seed("seed")
        request.seed = seed ?? request.seed
        let images = try fields.array("images") ?? []
        guard images.count <= 1 else {
            throw .unsupported(
                "'images' has \(images.count) pictures; the models here start from one.", parameter: "images")
        }
        if let image = images.first {
            let start = try Fields(["images[0]": image]).picture("images[0]")
            request.initImage = start ?? request.initImage
        }
        return request
    }
}
