/// How the clients of an API want to be told of errors.
enum ErrorShape: Sendable {
    /// An object with message, type, code and parameter; that of the native API too.
    case openAI
    /// A sentence.
    case ollama
    /// A code, with a sentence beside it.
    case automatic1111

    /// By the path: every API has a beginning of its own.
    init(path: String) {
        self =
            if path.hasPrefix("/api/") {
                .ollama
            } else if path.hasPrefix("/sdapi/") {
                .automatic1111
            } else {
                .openAI
            }
    }

    func body(of failure: Failure) -> JSON {
        switch self {
        case .openAI: failure.json
        case .ollama: ["error": .string(failure.message)]
        case .automatic1111:
            ["error": .string(failure.code), "detail": .string(failure.message), "body": "", "errors": ""]
        }
    }
}
