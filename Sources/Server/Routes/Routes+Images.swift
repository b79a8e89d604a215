import Assistant
import AssistantAPI
import Glibc
import Hummingbird

extension Routes {
    /// `POST /v1/images/generations`.
    func addImages(to router: Router<ServerContext>) {
        router.resource(
            "/v1/images/generations",
            [
                .post: { [assistant, pictureBodyLimit, timing] request, context in
                    let call = try ImageGenerationCall(await request.fields(upTo: pictureBodyLimit))
                    let (client, created) = (context.client, time(nil))
                    do {
                        guard call.streams else {
                            return .json(
                                try await Connection.whileConnected(context.connection) {
                                    let events = assistant.pictures.make(call.request, client: client)
                                    return try await ImageGenerationWriter.whole(
                                        events, call, created: created)
                                })
                        }
                        // Clients of this API show what comes, in its own size.
                        let events = assistant.pictures.make(
                            call.request, client: client, partialSize: .full)
                        return try await EventStream(events, connection: context.connection, timing: timing)
                            .response(ImageGenerationWriter(call, created: created))
                    } catch {
                        throw ImageGenerationCall.renamed(error)
                    }
                }
            ])
    }
}
