import Assistant
import AssistantAPI
import Hummingbird

extension Routes {
    /// Models had from a hub.
    func addPulls(to router: Router<ServerContext>) {
        router.resource(
            "/inkling/v1/models/available",
            [.get: { [assistant] _, _ in try .wire(assistant.availableModels()) }])
        router.resource(
            "/inkling/v1/models/pull",
            [
                .post: { [assistant, bodyLimit, timing] request, context in
                    let wanted = try PullRequest(await request.fields(upTo: bodyLimit))
                    return try await EventStream(
                        assistant.pull(wanted), connection: context.connection, timing: timing
                    ).response(WireEventWriter<PullEvent>())
                }
            ])
    }
}

extension PullRequest {
    init(_ fields: Fields) throws(Failure) {
        self.init(
            model: try fields.requiredString("model"), name: try fields.string("name"),
            endpoint: try fields.string("endpoint"), token: try fields.string("token"),
            offline: try fields.bool("offline"))
    }
}

extension PullEvent: ServedEvent {
    /// Until it is known what is pulled.
    var commits: Bool {
        if case .notice = self { false } else { true }
    }

    static func failure(_ error: AssistantError) -> Self { .failed(.init(error: error)) }
}
