import Assistant
import AssistantAPI
import HTTPTypes
import Hummingbird

extension Routes {
    /// Models described, named anew and deleted, natively and as Ollama's clients ask for it.
    func addModelManagement(to router: Router<ServerContext>) {
        router.resource(
            "/inkling/v1/models/copy",
            [
                .post: { [assistant, bodyLimit] request, _ in
                    let alias = try ModelAlias(await request.fields(upTo: bodyLimit))
                    try await assistant.copy(alias)
                    return try .wire(alias)
                }
            ])
        // A model's name may have slashes, written as they are or as %2F.
        router.resource(
            "/inkling/v1/models/**",
            [
                .get: { [assistant] _, context in
                    try .wire(await assistant.description(of: context.remainingPath()))
                },
                .delete: { [assistant] _, context in
                    try .wire(await assistant.delete(context.remainingPath()))
                },
            ])
    }
}

extension ModelAlias {
    init(_ fields: Fields) throws(Failure) {
        self.init(
            source: try fields.requiredString("source"),
            destination: try fields.requiredString("destination"))
    }
}
