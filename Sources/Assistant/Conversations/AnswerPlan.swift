import AssistantAPI
import FoundationEssentials
import History

/// What a draft means for a conversation: which message is answered, and whether it has to be written first.
struct AnswerPlan {
    /// The user message that is answered.
    var question: Message
    /// Whether the question is new.
    var isNew: Bool

    /// Reads a draft.
    ///
    /// - Throws: `invalidRequest` or `notFound`, naming the field.
    init(_ draft: MessageDraft, in conversation: Conversation, store: HistoryStore) async throws {
        switch (draft.content, draft.edits, draft.regenerates) {
        case (let content?, let edited, nil):
            guard content.contains(where: { !$0.isWhitespace }) else {
                throw AssistantError(.invalidRequest, "The message is empty.", parameter: "content")
            }
            var parent = conversation.head
            if let edited {
                let message = try await Self.message(edited, in: conversation, store: store, field: "edits")
                guard message.role == .user else {
                    throw AssistantError(
                        .invalidRequest, "Only your own messages can be edited; this one is an answer.",
                        parameter: "edits")
                }
                parent = message.parent
            }
            isNew = true
            question = Message(
                id: HistoryStore.makeID(), conversation: conversation.id, parent: parent, role: .user,
                content: content, createdAt: Date())
        case (nil, nil, let regenerated?):
            let field = "regenerates"
            let message = try await Self.message(regenerated, in: conversation, store: store, field: field)
            isNew = false
            if message.role == .user {
                question = message
            } else if let parent = message.parent {
                question = try await Self.message(parent, in: conversation, store: store, field: field)
            } else {
                throw AssistantError(
                    .invalidRequest, "This message answers none, so it cannot be made again.",
                    parameter: field)
            }
            guard message.picture == nil || !question.content.hasPrefix(PictureTurn.command) else {
                throw AssistantError(
                    .invalidRequest, "This message is a picture; commit another one that edits it.",
                    parameter: field)
            }
        case (nil, _?, _):
            throw AssistantError(.invalidRequest, "An edit needs the new content.", parameter: "content")
        case (_?, _, _?):
            throw AssistantError(
                .invalidRequest, "Give either content or regenerates, not both.", parameter: "regenerates")
        case (nil, nil, nil):
            throw AssistantError(.invalidRequest, "There is no content to send.", parameter: "content")
        }
    }

    /// A message of the conversation's; `field` is what an error names.
    static func message(
        _ id: Message.ID, in conversation: Conversation, store: HistoryStore, field: String
    ) async throws -> Message {
        guard let message = try await store.message(id), message.conversation == conversation.id else {
            throw AssistantError(.notFound, "This conversation has no message \(id).", parameter: field)
        }
        return message
    }
}
