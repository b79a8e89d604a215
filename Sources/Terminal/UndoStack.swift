/// Earlier states of a line, with what kind of change followed each of them.
struct UndoStack: Sendable {
    struct Snapshot: Sendable, Equatable {
        var characters: [Character]
        var cursor: Int
    }

    enum Change: Sendable, Equatable {
        /// Characters of one word; in a row they are undone together.
        case typing
        case space
        /// Deletions in a row are undone together.
        case deletion
        case kill, yank, other
    }

    static let limit = 200

    private var snapshots: [Snapshot] = []
    /// The newest change.
    private(set) var last: Change?
    private var lastCursor: Int?

    /// Notes the state before a change.
    mutating func record(_ before: Snapshot, as change: Change) {
        let joins = change == last && (change == .typing || change == .deletion) && !snapshots.isEmpty
        last = change
        if joins { return }
        snapshots.append(before)
        if snapshots.count > Self.limit { snapshots.removeFirst() }
    }

    /// The state before the newest change, which is taken off.
    mutating func undo() -> Snapshot? {
        last = nil
        return snapshots.popLast()
    }
}

/// Texts that were taken out of lines, newest last.
struct KillRing: Sendable {
    static let limit = 20

    private var texts: [String] = []
    private var index = 0

    var current: String? { texts.indices.contains(index) ? texts[index] : nil }

    mutating func add(_ text: String, before: Bool, joining: Bool) {
        if joining, let last = texts.popLast() {
            texts.append(before ? text + last : last + text)
        } else {
            texts.append(text)
            if texts.count > Self.limit { texts.removeFirst() }
        }
        index = texts.count - 1
    }

    /// Turns to the text before the current one.
    mutating func rotate() -> String? {
        guard !texts.isEmpty else { return nil }
        index = index > 0 ? index - 1 : texts.count - 1
        return current
    }
}
