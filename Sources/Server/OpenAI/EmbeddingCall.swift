import Assistant
import AssistantAPI
import FoundationEssentials

/// The body of `POST /v1/embeddings`, and its answer.
struct EmbeddingCall: Sendable {
    let request: EmbeddingRequest
    /// `encoding_format` `base64`: little-endian 32-bit floats, as OpenAI's own client asks for them.
    let isBase64: Bool

    private enum Encoding: String, CaseIterable { case float, base64 }

    init(_ fields: Fields) throws(Failure) {
        request = EmbeddingRequest(
            model: try fields.string("model"),
            inputs: try TextCompletionCall.prompts(fields, "input", limit: Assistant.embeddingLimit),
            dimensions: try fields.integer("dimensions", in: 1...1 << 20),
            keepAlive: try fields.keepAlive())
        isBase64 = try fields.choice("encoding_format", among: Encoding.allCases) == .base64
        _ = try fields.string("user")
    }

    func answer(_ embeddings: Embeddings) -> JSON {
        let data = embeddings.vectors.enumerated().map { index, vector -> JSON in
            [
                "object": "embedding", "index": JSON(index),
                "embedding": isBase64 ? .string(Self.base64(vector)) : JSON(vector),
            ]
        }
        return [
            "object": "list", "data": .array(data), "model": .string(embeddings.model),
            "usage": [
                "prompt_tokens": JSON(embeddings.promptTokens),
                "total_tokens": JSON(embeddings.promptTokens),
            ],
            "timings": AnswerFrame.timings(
                Usage(promptTokens: embeddings.promptTokens, cachedTokens: 0, completionTokens: 0),
                embeddings.timings),
        ]
    }

    private static func base64(_ vector: [Float]) -> String {
        var bytes = Data(capacity: vector.count * 4)
        for value in vector {
            withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes.base64EncodedString()
    }
}
