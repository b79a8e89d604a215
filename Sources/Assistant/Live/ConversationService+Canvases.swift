import AssistantAPI
import History

extension ConversationService {
    /// Checks whether a picture can go to a conversation before it is painted, as far as that is known by then.
    ///
    /// - Parameters:
    ///   - id: The conversation.
    ///   - edited: A message of an earlier picture's, beside which the new one is to become a branch.
    /// - Returns: Whether the conversation is private.
    /// - Throws: `notFound`, `invalidRequest`, `historyUnavailable`.
    func takesPicture(in id: Conversation.ID, edits edited: Message.ID?) async throws -> Bool {
        let conversation = try await transcript(id).conversation
        guard conversation.erasedAt == nil else {
            throw AssistantError(
                .notFound, "This conversation was deleted; restore it to go on with it.", parameter: "id")
        }
        guard let edited else { return conversation.isPrivate == true }
        do {
            _ = try await PictureTurn.question(of: edited, in: conversation, store: histories.store(of: id))
        } catch {
            throw AssistantError.history(error, doing: "The conversation cannot be read")
        }
        return conversation.isPrivate == true
    }
}
