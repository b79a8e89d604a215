import Assistant
import AssistantAPI
import HTTPTypes
import Hummingbird

extension Routes {
    /// Conversations and their messages: `/inkling/v1`.
    func addConversations(to router: Router<ServerContext>) {
        let conversations = assistant.conversations
        router.resource(
            "/inkling/v1/conversations",
            [
                .get: { request, _ in
                    let limit = try request.query("limit", in: 1...200, default: 50)
                    return try .wire(await conversations.list(before: request.query("before"), limit: limit))
                },
                .post: { [bodyLimit] request, _ in
                    let draft = try ConversationDraft(await request.fields(upTo: bodyLimit))
                    return try .wire(await conversations.create(draft), status: .created)
                },
            ])
        router.resource(
            "/inkling/v1/conversations/:id",
            [
                .get: { _, context in try .wire(await conversations.transcript(context.pathParameter("id")))
                },
                .patch: { [bodyLimit] request, context in
                    let change = try ConversationChange(await request.fields(upTo: bodyLimit))
                    return try .wire(await conversations.change(context.pathParameter("id"), change))
                },
                .delete: { request, context in
                    let now = try request.queryFlag("now")
                    return try .wire(await conversations.delete(context.pathParameter("id"), now: now))
                },
            ])
        router.resource(
            "/inkling/v1/conversations/:id/restore",
            [
                .post: { _, context in try .wire(await conversations.restore(context.pathParameter("id"))) }
            ])
        router.resource(
            "/inkling/v1/search",
            [
                .get: { request, _ in
                    guard let query = request.query("q") else {
                        throw Failure.invalid("'q' is missing: what to search for.", parameter: "q")
                    }
                    let limit = try request.query("limit", in: 1...200, default: 20)
                    return try .wire(await conversations.search(query, limit: limit))
                }
            ])
        router.resource(
            "/inkling/v1/conversations/:id/draft",
            [
                .put: { [bodyLimit] request, context in
                    let draft = try TypedDraft(await request.fields(upTo: bodyLimit))
                    try conversations.draft(draft, in: context.pathParameter("id"))
                    return .json(["status": "accepted"], status: .accepted)
                }
            ])
        router.resource(
            "/inkling/v1/draft",
            [
                .put: { [bodyLimit] request, context in
                    conversations.draft(try TypedDraft(await request.fields(upTo: bodyLimit)), in: nil)
                    return .json(["status": "accepted"], status: .accepted)
                }
            ])
        addMessages(to: router)
    }

    private func addMessages(to router: Router<ServerContext>) {
        router.resource(
            "/inkling/v1/conversations/:id/messages",
            [
                .get: { [assistant] _, context in
                    let messages = try await assistant.conversations.messages(of: context.pathParameter("id"))
                    return try .wire(["messages": messages])
                },
                .post: { [assistant, bodyLimit, timing] request, context in
                    let draft = try MessageDraft(await request.fields(upTo: bodyLimit))
                    let events = try assistant.conversations.send(draft, to: context.pathParameter("id"))
                    return try await EventStream(events, connection: context.connection, timing: timing)
                        .response(WireEventWriter<ChatEvent>())
                },
            ])
    }
}

extension ChatEvent: ServedEvent {
    var commits: Bool { true }

    static func failure(_ error: AssistantError) -> Self { .failed(.init(error: error, message: nil)) }
}
