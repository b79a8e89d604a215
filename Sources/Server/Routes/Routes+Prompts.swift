import Assistant
import AssistantAPI
import Hummingbird

extension Routes {
    /// Words for pictures: `/inkling/v1/prompts/enriched`.
    func addPrompts(to router: Router<ServerContext>) {
        router.resource(
            "/inkling/v1/prompts/enriched",
            [
                .post: { [assistant, bodyLimit] request, context in
                    let fields = try await request.fields(upTo: bodyLimit)
                    let prompt = PromptText(
                        text: try fields.requiredString("text"), model: try fields.string("model"))
                    let client = context.client
                    return try .wire(
                        await Connection.whileConnected(context.connection) {
                            try await assistant.enrich(prompt, client: client)
                        })
                }
            ])
    }
}
