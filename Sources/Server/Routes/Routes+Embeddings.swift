import Assistant
import AssistantAPI
import Hummingbird

extension Routes {
    /// Vectors of texts: OpenAI's `/v1/embeddings`, Ollama's `/api/embed` and `/api/embeddings`.
    func addEmbeddings(to router: Router<ServerContext>) {
        router.resource(
            "/v1/embeddings",
            [
                .post: { [bodyLimit] request, context in
                    let call = try EmbeddingCall(await request.fields(upTo: bodyLimit))
                    return .json(call.answer(try await embed(call.request, context)))
                }
            ])
        router.resource(
            "/api/embed",
            [
                .post: { [bodyLimit] request, context in
                    let call = try OllamaEmbedCall(await request.fields(upTo: bodyLimit), "input")
                    let frame = OllamaFrame(model: call.model)
                    return .json(call.answer(try await embed(call, context), frame))
                }
            ])
        router.resource(
            "/api/embeddings",
            [
                .post: { [bodyLimit] request, context in
                    let call = try OllamaEmbedCall(await request.fields(upTo: bodyLimit), "prompt")
                    let embeddings = try await embed(call, context)
                    return .json(["embedding": JSON(embeddings?.vectors.first ?? [])])
                }
            ])
    }

    /// `nil` where there was no text, and the model is in memory now.
    private func embed(_ call: OllamaEmbedCall, _ context: ServerContext) async throws -> Embeddings? {
        if let request = call.request { return try await embed(request, context) }
        _ = try await Connection.whileConnected(context.connection) { [assistant] in
            try await assistant.load(call.model, keepAlive: call.keepAlive, client: context.client)
        }
        return nil
    }

    private func embed(_ request: EmbeddingRequest, _ context: ServerContext) async throws
        -> Embeddings
    {
        let client = context.client
        return try await Connection.whileConnected(context.connection) { [assistant] in
            try await assistant.embed(request, client: client)
        }
    }
}
