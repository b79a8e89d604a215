import HTTPTypes

/// How the clients of an API want to be told of errors.
enum ErrorShape: Sendable {
    /// An object with message, type, code and parameter; that of the native API too.
    case openAI
    /// A sentence.
    case ollama
    /// OpenAI's object with the status as its code.
    case llamaServer
    /// A code, with a sentence beside it.
    case automatic1111

    private static let llamaServerPaths: Set<String> = [
        "/completion", "/completions", "/apply-template", "/props", "/slots", "/tokenize", "/detokenize",
    ]

    /// By the path: every API has a beginning of its own, or a few paths.
    init(path: String) {
        self =
            if path.hasPrefix("/api/") {
                .ollama
            } else if path.hasPrefix("/sdapi/") {
                .automatic1111
            } else if Self.llamaServerPaths.contains(path) {
                .llamaServer
            } else {
                .openAI
            }
    }

    func body(of failure: Failure) -> JSON {
        switch self {
        case .openAI: failure.json
        case .llamaServer:
            [
                "error": [
                    "code": JSON(failure.status.code), "message": .string(failure.message),
                    "type": .string(failure.type), "param": JSON(failure.parameter),
                ]
            ]
        case .ollama: ["error": .string(failure.message)]
        case .automatic1111:
            ["error": .string(failure.code), "detail": .string(failure.message), "body": "", "errors": ""]
        }
    }
}
