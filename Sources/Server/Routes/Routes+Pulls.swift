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
                    ).response(PullEventWriter())
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

/// Writes the events of pulls as `event:` and `data:`.
struct PullEventWriter: EventWriter {
    /// Until it is known what is pulled, a failure has a status of its own.
    func commits(_ event: PullEvent) -> Bool {
        if case .notice = event { false } else { true }
    }

    mutating func text(for event: PullEvent) throws -> String {
        ServerSentEvent.text(name: event.name, data: String(decoding: try event.data(), as: UTF8.self))
    }

    mutating func text(for failure: Failure, _ error: any Error) throws -> String {
        let error = error as? AssistantError ?? AssistantError(.internalError, failure.message)
        return try text(for: .failed(.init(error: error)))
    }

    mutating func end() -> String { "" }
}
