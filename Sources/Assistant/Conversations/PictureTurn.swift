import AssistantAPI
import FoundationEssentials
import History

/// A picture as a part of a conversation: what was typed for it, and a message that shows it.
///
/// The chat model sees pictures as text, `picture: <prompt>`.
struct PictureTurn {
    /// What a typed line begins with that asks for a picture of its own.
    static let command = "/imagine "

    /// What was typed, and the picture, in that order.
    let messages: [Message]

    /// Places a picture at the end of the shown branch, or beside the one that is edited.
    ///
    /// - Parameters:
    ///   - picture: the picture, wherever it is kept.
    ///   - prompt: what was typed, without the command.
    ///   - conversation: where it goes.
    ///   - edited: a message of an earlier picture's, the question or the picture itself.
    ///   - store: the conversation's.
    /// - Throws: `notFound` or `invalidRequest`, naming the field.
    init(
        _ picture: Picture, prompt: String, in conversation: Conversation, edits edited: Message.ID?,
        store: HistoryStore
    ) async throws {
        var parent = conversation.head
        if let edited { parent = try await Self.question(of: edited, in: conversation, store: store).parent }
        let question = Message(
            id: HistoryStore.makeID(), conversation: conversation.id, parent: parent, role: .user,
            content: Self.command + prompt, createdAt: Date())
        let shown = Message(
            id: HistoryStore.makeID(), conversation: conversation.id, parent: question.id, role: .assistant,
            content: Message.picturePrefix + prompt, createdAt: Date(), finish: .stop,
            model: picture.recipe.model,
            picture: picture.id)
        messages = [question, shown]
    }

    /// The message that a picture answers, found by either of the two.
    static func question(
        of id: Message.ID, in conversation: Conversation, store: HistoryStore
    ) async throws -> Message {
        let message = try await AnswerPlan.message(id, in: conversation, store: store, field: "edits")
        if message.role == .user { return message }
        guard message.picture != nil, let parent = message.parent else {
            throw AssistantError(
                .invalidRequest,
                "Only your own messages and pictures can be edited; this one is an answer.",
                parameter: "edits")
        }
        return try await AnswerPlan.message(parent, in: conversation, store: store, field: "edits")
    }
}

extension Message {
    /// What stands before the prompt in the content of a message that shows a picture.
    static let picturePrefix = "picture: "

    /// What was painted, of a message that shows a picture.
    var paintedPrompt: String? {
        guard picture != nil, content.hasPrefix(Self.picturePrefix) else { return nil }
        return String(content.dropFirst(Self.picturePrefix.count))
    }
}
