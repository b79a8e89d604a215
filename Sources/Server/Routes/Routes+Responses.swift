import Assistant
import AssistantAPI
import Glibc
import HTTPTypes
import Hummingbird

extension Routes {
    /// OpenAI's responses, which know those before them: `/v1/responses`.
    func addResponses(to router: Router<ServerContext>) {
        router.resource(
            "/v1/responses",
            [
                .post: { [pictureBodyLimit] request, context in
                    let call = try ResponseCall(await request.fields(upTo: pictureBodyLimit))
                    return try await answer(call, context)
                }
            ])
        router.resource(
            "/v1/responses/:id",
            [
                .get: { request, context in
                    try await .json(response(context.pathParameter("id"), request))
                },
                .delete: { [assistant] _, context in
                    let id = try context.pathParameter("id")
                    try await assistant.responses.delete(id)
                    return .json(["id": .string(id), "object": "response", "deleted": true])
                },
            ])
        router.resource(
            "/v1/responses/:id/input_items",
            [
                .get: { [assistant] request, context in
                    let page = try ResponseItemPage(request)
                    let stored = try await assistant.responses.response(context.pathParameter("id"))
                    let (items, hasMore) = try page.items(of: stored.inputItems())
                    return .json(
                        ResponseItemPage.json(await assistant.pictures.filling(items), hasMore: hasMore))
                }
            ])
        router.resource(
            "/v1/responses/:id/cancel",
            [
                .post: { [assistant] _, context in
                    let id = try await assistant.responses.response(context.pathParameter("id")).id
                    throw Failure.invalid(
                        "The response \(id) is finished; only those in the background can be cancelled, and "
                            + "none is made there.", parameter: "id")
                }
            ])
    }

    private func answer(_ call: ResponseCall, _ context: ServerContext) async throws -> Response {
        let work = ResponseWork(
            assistant: assistant, call: call, created: time(nil), client: context.client,
            logger: context.logger)
        guard call.streams else {
            return .json(
                try await Connection.whileConnected(context.connection) {
                    try await work.whole(work.request())
                })
        }
        let events = try await work.events(work.request())
        return try await EventStream(events, connection: context.connection, timing: timing)
            .response(ResponseStreamWriter())
    }

    /// A response that was kept, with the files of its pictures.
    private func response(_ id: String, _ request: Request) async throws -> JSON {
        if try request.queryFlag("stream") {
            throw Failure.unsupported(
                "'stream' is not supported here: a response that is kept is whole.", parameter: "stream")
        }
        let stored = try await assistant.responses.response(id)
        let output = await assistant.pictures.filling(try stored.outputItems())
        return try stored.bodyJSON().setting("output", .array(output))
    }
}
