import Assistant
import AssistantAPI
import HTTPTypes
import Hummingbird

extension Routes {
    /// Ollama's API, as far as it changes what models there are: `/api/pull`, `/api/copy`, `/api/delete`.
    func addOllamaModels(to router: Router<ServerContext>) {
        router.resource(
            "/api/pull",
            [
                .post: { [assistant, bodyLimit, timing] request, context in
                    let fields = try await request.fields(upTo: bodyLimit)
                    let events = assistant.pull(PullRequest(model: try OllamaCall.model(fields)))
                    guard try fields.bool("stream") ?? true else {
                        try await Connection.whileConnected(context.connection) {
                            for try await _ in events {}
                            try Task.checkCancellation()
                        }
                        return .json(["status": "success"])
                    }
                    return try await EventStream(events, connection: context.connection, timing: timing)
                        .response(OllamaPullWriter())
                }
            ])
        router.resource(
            "/api/copy",
            [
                .post: { [assistant, bodyLimit] request, _ in
                    try await assistant.copy(ModelAlias(await request.fields(upTo: bodyLimit)))
                    return Response(status: .ok)
                }
            ])
        router.resource(
            "/api/delete",
            [
                .delete: { [assistant, bodyLimit] request, _ in
                    let name = try OllamaCall.model(await request.fields(upTo: bodyLimit))
                    _ = try await assistant.delete(name)
                    return Response(status: .ok)
                }
            ])
        for path in ["/api/create", "/api/push"] {
            router.resource(
                RouterPath(path),
                [
                    .post: { _, _ in
                        throw Failure(
                            .notImplemented, code: "not_implemented",
                            "\(path) is not supported: models are pulled, or put into the folder of models.")
                    }
                ])
        }
    }
}
