import AssistantAPI
import History
import Synchronization

/// Where conversations are kept: in the history, or only in memory for private ones.
final class Histories: Sendable {
    private struct Private {
        var store: HistoryStore?
        var conversations: Set<Conversation.ID> = []
    }

    let main: HistoryStore
    private let hidden = Mutex(Private())

    init(_ main: HistoryStore) { self.main = main }

    /// The store that holds a conversation.
    func store(of conversation: Conversation.ID) -> HistoryStore {
        hidden.withLock { $0.conversations.contains(conversation) ? $0.store ?? main : main }
    }

    func isPrivate(_ conversation: Conversation.ID) -> Bool {
        hidden.withLock { $0.conversations.contains(conversation) }
    }

    func create(_ draft: ConversationDraft) async throws -> Conversation {
        guard draft.isPrivate == true else { return try await main.create(draft) }
        var conversation = try await privateStore().create(draft)
        conversation.isPrivate = true
        hidden.withLock { _ = $0.conversations.insert(conversation.id) }
        return conversation
    }

    /// Erases a private conversation at once; it was never written down.
    func erasePrivate(_ conversation: Conversation.ID) async throws -> Conversation {
        var erased = try await store(of: conversation).delete(conversation, now: true)
        erased.isPrivate = true
        hidden.withLock { _ = $0.conversations.remove(conversation) }
        return erased
    }

    /// Closes both; what was private is gone.
    func close() async throws {
        let hidden = hidden.withLock { hidden in
            defer { hidden = Private() }
            return hidden.store
        }
        try? await hidden?.close()
        try await main.close()
    }

    private func privateStore() throws -> HistoryStore {
        try hidden.withLock { hidden in
            if let store = hidden.store { return store }
            let store = try HistoryStore.open(path: nil)
            hidden.store = store
            return store
        }
    }
}
