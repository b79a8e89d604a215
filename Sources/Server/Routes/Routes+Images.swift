import Assistant
import AssistantAPI
import Glibc
import Hummingbird

extension Routes {
    /// `POST /v1/images/generations`, `edits` and `variations`.
    func addImages(to router: Router<ServerContext>) {
        for operation in ImageOperation.allCases {
            router.resource(
                RouterPath(operation.path),
                [
                    .post: { [pictureBodyLimit] request, context in
                        let fields = try await request.fields(
                            upTo: pictureBodyLimit, orForm: operation != .generation)
                        return try await paint(ImageGenerationCall(fields, operation), context)
                    }
                ])
        }
    }

    private func paint(_ call: ImageGenerationCall, _ context: ServerContext) async throws -> Response {
        let (client, created) = (context.client, time(nil))
        do {
            guard call.streams else {
                return .json(
                    try await Connection.whileConnected(context.connection) { [assistant] in
                        let events = assistant.pictures.make(call.request, client: client)
                        return try await ImageGenerationWriter.whole(events, call, created: created)
                    })
            }
            // Clients of this API show what comes, in its own size.
            let events = assistant.pictures.make(call.request, client: client, partialSize: .full)
            return try await EventStream(events, connection: context.connection, timing: timing)
                .response(ImageGenerationWriter(call, created: created))
        } catch {
            throw call.operation.renamed(error)
        }
    }
}
