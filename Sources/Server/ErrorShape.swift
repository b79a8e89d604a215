/// How the clients of an API want to be told of errors.
enum ErrorShape: Sendable {
    /// An object with message, type, code and parameter; that of the native API too.
    case openAI
    /// A sentence.
    case ollama

    /// By the path: every API has a beginning of its own.
    init(path: String) {
        self = path.hasPrefix("/api/") ? .ollama : .openAI
    }

    func body(of failure: Failure) -> JSON {
        switch self {
        case .openAI: failure.json
        case .ollama: ["error": .string(failure.message)]
        }
    }
}
