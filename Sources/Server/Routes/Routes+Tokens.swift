import Assistant
import AssistantAPI
import Hummingbird

extension Routes {
    /// `/tokenize` and `/detokenize`, as llama-server has them, with a model to choose.
    func addTokens(to router: Router<ServerContext>) {
        router.resource(
            "/tokenize",
            [
                .post: { [assistant, bodyLimit] request, _ in
                    let fields = try await request.fields(upTo: bodyLimit)
                    let withPieces = try fields.bool("with_pieces") ?? false
                    let pieces = try await assistant.tokenize(
                        model: fields.string("model"), content: fields.requiredString("content"),
                        addSpecial: fields.bool("add_special") ?? false,
                        parseSpecial: fields.bool("parse_special") ?? true)
                    return .json([
                        "tokens": .array(pieces.map { withPieces ? $0.withPiece : JSON(Int($0.id)) })
                    ])
                }
            ])
        router.resource(
            "/detokenize",
            [
                .post: { [assistant, bodyLimit] request, _ in
                    let fields = try await request.fields(upTo: bodyLimit)
                    guard let elements = try fields.array("tokens") else {
                        throw fields.missing("tokens", "an array of token ids")
                    }
                    let tokens =
                        elements.isEmpty ? [] : try TextCompletionCall.tokens(elements, path: "tokens")
                    let text = try await assistant.detokenize(model: fields.string("model"), tokens: tokens)
                    return .json(["content": .string(text)])
                }
            ])
    }
}

extension TokenPiece {
    /// The id with its text, or with its bytes where they are no whole characters.
    fileprivate var withPiece: JSON {
        let piece = String(validating: bytes, as: UTF8.self).map(JSON.string)
        return ["id": JSON(Int(id)), "piece": piece ?? .array(bytes.map { JSON(Int($0)) })]
    }
}
