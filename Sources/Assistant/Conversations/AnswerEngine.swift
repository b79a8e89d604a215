import AssistantAPI

/// What a conversation needs of the engine, as plain functions, so that it can be tested without one.
struct AnswerEngine: Sendable {
    /// A completion on its way.
    struct Running: Sendable {
        var events: AsyncThrowingStream<CompletionEvent, any Error>
        /// Stops it; it ends with a summary whose finish is `cancelled`.
        var cancel: @Sendable () -> Void
    }

    /// Checks all that can be known beforehand and returns the model's public name.
    var check: @Sendable (CompletionRequest) throws(AssistantError) -> String
    /// Starts a completion whose cache belongs to the conversation afterwards.
    var start:
        @Sendable (CompletionRequest, _ conversation: Conversation.ID) throws(AssistantError) -> Running
    /// Paints what an answer asks for, and keeps it.
    var paint:
        @Sendable (PictureRequest, _ conversation: Conversation.ID) -> AsyncThrowingStream<
            PictureEvent, any Error
        >
    /// Has a chat's beginning evaluated ahead, whose last message is what has been typed so far.
    var expect: @Sendable (CompletionRequest, _ conversation: Conversation.ID) throws(AssistantError) -> Void
    /// Drops what is kept of a conversation.
    var forget: @Sendable (_ conversation: Conversation.ID) -> Void
}
