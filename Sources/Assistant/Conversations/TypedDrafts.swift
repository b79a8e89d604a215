import AssistantAPI
import Synchronization

/// What is being typed in conversations, before it is made a prompt: the newest text of each, whatever the rate.
///
/// One task at a time takes texts out; a text that came while its conversation was answering is held until that ends.
final class TypedDrafts: Sendable {
    struct Typed: Sendable, Equatable {
        /// Empty for the first message of a conversation that is not there yet.
        var conversation: Conversation.ID
        var draft: TypedDraft
    }

    private struct State {
        /// By age, one of each conversation.
        var pending: [Typed] = []
        var held: [Typed] = []
        /// What went to the engine last, of each conversation.
        var told: [Typed] = []
        var isRunning = false
    }

    /// How many conversations may be typed in at once.
    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int = 8) { self.limit = limit }

    /// Takes what was typed, in place of what was before.
    ///
    /// - Returns: whether somebody must begin to take texts out.
    func put(_ typed: Typed) -> Bool {
        state.withLock { state in
            Self.replace(&state.pending, typed, limit: limit)
            state.held.removeAll { $0.conversation == typed.conversation }
            defer { state.isRunning = true }
            return !state.isRunning
        }
    }

    /// The newest text of all; `nil` once there is none, after which `put` asks for somebody anew.
    func take() -> Typed? {
        state.withLock { state in
            let typed = state.pending.popLast()
            if typed == nil { state.isRunning = false }
            return typed
        }
    }

    /// Keeps a text, unless there is a newer one, until `resume`.
    func hold(_ typed: Typed) {
        state.withLock { state in
            guard !state.pending.contains(where: { $0.conversation == typed.conversation }) else { return }
            Self.replace(&state.held, typed, limit: limit)
        }
    }

    /// Notes a text that goes to the engine; false when it went there already, as with most keys of a word.
    func isNews(_ stable: Typed) -> Bool {
        state.withLock { state in
            guard !state.told.contains(stable) else { return false }
            Self.replace(&state.told, stable, limit: limit)
            return true
        }
    }

    /// Puts a text that was held among those to be taken out, with the same result as `put`.
    func resume(_ conversation: Conversation.ID) -> Bool {
        let held = state.withLock { state in
            // Something has come before it.
            state.told.removeAll { $0.conversation == conversation }
            let place = state.held.firstIndex { $0.conversation == conversation }
            return place.map { state.held.remove(at: $0) }
        }
        return held.map(put) ?? false
    }

    /// Forgets what was typed in a conversation: its message was sent.
    func remove(_ conversation: Conversation.ID) {
        state.withLock { state in
            state.pending.removeAll { $0.conversation == conversation }
            state.held.removeAll { $0.conversation == conversation }
            state.told.removeAll { $0.conversation == conversation }
        }
    }

    private static func replace(_ list: inout [Typed], _ typed: Typed, limit: Int) {
        list.removeAll { $0.conversation == typed.conversation }
        list.append(typed)
        if list.count > limit { list.removeFirst() }
    }
}
