public import AssistantAPI
import History

extension ConversationService {
    /// Takes what is being typed, to evaluate it ahead; returns at once, and works only while nothing else is asked.
    ///
    /// The newest text counts, up to its last whole word. An empty one has the conversation itself evaluated. What
    /// cannot be evaluated is ignored: the message, once it is sent, tells what is wrong. Without a conversation it is the
    /// first message of one that is not there yet.
    public func draft(_ draft: TypedDraft, in id: Conversation.ID?) {
        if typed.put(.init(conversation: id ?? "", draft: draft)) { expectTyped() }
    }

    /// Lets a text go on that was typed during an answer.
    func resumeDraft(in id: Conversation.ID) {
        if typed.resume(id) { expectTyped() }
    }

    private func expectTyped() {
        Task {
            while let next = typed.take() { await expect(next) }
        }
    }

    private func expect(_ next: TypedDrafts.Typed) async {
        // Of what comes after an answer, the answer is a part.
        if turns.isBusy(next.conversation) {
            typed.hold(next)
            if !turns.isBusy(next.conversation) { resumeDraft(in: next.conversation) }
            return
        }
        var next = next
        next.draft.text = TypedText.stablePart(of: next.draft.text)
        guard typed.isNews(next) else { return }
        let mayPaint = next.draft.pictures ?? defaultPictures
        guard let context = await context(of: next, mayPaint: mayPaint) else { return }
        let message = ChatMessage(role: .user, content: next.draft.text)
        let request = CompletionRequest(
            model: next.draft.model ?? context.model, prompt: .chat(context.messages + [message]),
            toolUse: mayPaint ? ImagineTool.use : nil)
        try? engine.expect(request, next.conversation)
    }

    /// What stands before a typed text, and the model that it goes to; `nil` for a conversation that is gone.
    private func context(
        of next: TypedDrafts.Typed, mayPaint: Bool
    ) async -> (messages: [ChatMessage], model: String?)? {
        guard !next.conversation.isEmpty else {
            let system = next.draft.system ?? defaultSystem ?? ""
            return (system.isEmpty ? [] : [ChatMessage(role: .system, content: system)], nil)
        }
        guard
            let transcript = try? await histories.store(of: next.conversation).transcript(next.conversation),
            transcript.conversation.erasedAt == nil
        else { return nil }
        let conversation = transcript.conversation
        return (
            conversation.prompt(of: transcript.messages, defaultSystem: defaultSystem, mayPaint: mayPaint),
            conversation.model
        )
    }
}

extension Conversation {
    /// A branch of its messages as the model is to see it; pictures are calls where it may make some.
    func prompt(of branch: [Message], defaultSystem: String?, mayPaint: Bool) -> [ChatMessage] {
        var messages: [ChatMessage] = []
        if let system = system ?? defaultSystem, !system.isEmpty {
            messages.append(ChatMessage(role: .system, content: system))
        }
        // An answer of which nothing was said is no part of the talk.
        return messages
            + branch.filter { $0.role != .assistant || !$0.content.isEmpty }
            .flatMap { message in
                // A model that saw pictures as text would write such text in place of a call.
                if mayPaint, let prompt = message.paintedPrompt { return ImagineTool.turn(of: prompt) }
                return [ChatMessage(role: message.role, content: message.content)]
            }
    }
}
