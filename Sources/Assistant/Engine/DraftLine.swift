/// What is being typed, as far as it is to be evaluated ahead: the newest draft of each conversation.
struct DraftLine<Draft> {
    /// How many conversations may be typed in at once; the one that was silent for longest leaves for a new one.
    let limit: Int
    /// By age; the newest is served first, since that is where somebody types.
    private var drafts: [(conversation: String, id: UInt64, draft: Draft)] = []

    init(limit: Int = 8) { self.limit = max(1, limit) }

    var isEmpty: Bool { drafts.isEmpty }
    var count: Int { drafts.count }

    /// The draft that is to be evaluated.
    var next: Draft? { drafts.last?.draft }

    var newestFirst: [Draft] { drafts.reversed().map(\.draft) }

    /// Puts a draft in the place of an older one of its conversation.
    mutating func put(_ draft: Draft, id: UInt64, conversation: String) {
        remove(conversation: conversation)
        drafts.append((conversation, id, draft))
        if drafts.count > limit { drafts.removeFirst() }
    }

    /// Takes a draft out that is done; a newer one of its conversation stays.
    mutating func remove(id: UInt64) { drafts.removeAll { $0.id == id } }

    /// Takes a conversation's draft out: its message was sent, or it is gone.
    mutating func remove(conversation: String) { drafts.removeAll { $0.conversation == conversation } }

    mutating func removeAll() { drafts = [] }
}
