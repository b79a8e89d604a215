import AssistantAPI

/// The body of `POST /v1/chat/completions`: what is asked for, and in what shape the answer is wanted.
struct ChatCompletionCall: Sendable {
    /// One for each choice.
    let requests: [CompletionRequest]
    let shape: AnswerShape

    init(_ fields: Fields) throws(Failure) {
        try Self.refuseUnsupported(fields)
        let request = CompletionRequest(
            model: try fields.string("model"), prompt: .chat(try ChatMessage.readAll(fields)),
            settings: try GenerationSettings(fields),
            logprobs: try Self.logprobs(fields), keepAlive: try fields.keepAlive(),
            constraint: try OutputConstraint.read(fields), toolUse: try ToolUse.read(fields))
        requests = request.repeated(try AnswerShape.choiceCount(fields))
        shape = try AnswerShape(fields)
    }

    private static func logprobs(_ fields: Fields) throws(Failure) -> Int? {
        let isWanted = try fields.bool("logprobs") ?? false
        let count = try fields.integer("top_logprobs", in: 0...20)
        guard isWanted else {
            guard count == nil || count == 0 else {
                throw .invalid("'top_logprobs' needs 'logprobs' to be true.", parameter: "top_logprobs")
            }
            return nil
        }
        return count ?? 0
    }

    /// What would change the answer's meaning if it were ignored is refused by name.
    private static func refuseUnsupported(_ fields: Fields) throws(Failure) {
        for modality in try fields.array("modalities") ?? [] where modality != "text" {
            throw .unsupported("'modalities' other than text are not supported.", parameter: "modalities")
        }
    }
}

/// How an OpenAI client wants its answer.
struct AnswerShape: Sendable, Equatable {
    let streams: Bool
    let includesUsage: Bool

    init(_ fields: Fields) throws(Failure) {
        streams = try fields.bool("stream") ?? false
        includesUsage = try fields.object("stream_options")?.bool("include_usage") ?? false
    }

    /// `n`, and `best_of` where it says the same.
    static func choiceCount(_ fields: Fields) throws(Failure) -> Int {
        let count = try fields.integer("n", in: 1...8) ?? 1
        guard let best = try fields.integer("best_of", in: 1...8), best != count else { return count }
        throw .unsupported("'best_of' must be as large as 'n': no answer is left out.", parameter: "best_of")
    }
}
