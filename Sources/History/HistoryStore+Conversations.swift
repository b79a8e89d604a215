public import AssistantAPI
import FoundationEssentials
import GRDB

extension HistoryStore {
    /// Begins a conversation without messages.
    ///
    /// - Parameter draft: its title and settings; `isPrivate` is for the caller, who has a store in memory for
    ///   private conversations.
    /// - Returns: the conversation with its id.
    /// - Throws: `notSaved`.
    public func create(_ draft: ConversationDraft) async throws(HistoryError) -> Conversation {
        let time = now()
        let id = Self.makeID(at: time)
        let title = draft.title ?? ""
        return try await write { db in
            try db.execute(
                sql: """
                    INSERT INTO conversation (id, activity, title, model, system, created, updated)
                    VALUES (:id, (SELECT coalesce(max(activity), 0) + 1 FROM conversation),
                        CAST(:title AS TEXT), CAST(:model AS TEXT),
                        CAST(:system AS TEXT), :time, :time)
                    """,
                arguments: [
                    "id": id, "title": title.stored,
                    "model": draft.model?.stored, "system": draft.system?.stored, "time": time.milliseconds,
                ])
            try SearchIndex.title.add(where: "= ?", db.lastInsertedRowID, db)
            return try Self.require(id, db).conversation
        }
    }

    /// Lists conversations, those with the newest messages first; deleted ones are left out.
    ///
    /// - Parameters:
    ///   - before: the `next` of the page before. A conversation that is added to moves to the front, so
    ///     paging on never shows one twice.
    ///   - limit: most conversations of the page, at least 1.
    /// - Returns: the page.
    /// - Throws: `malformedCursor`, `unreadable`.
    public func conversations(before: String?, limit: Int) async throws(HistoryError) -> ConversationList {
        let limit = max(1, min(limit, 1000))
        let position = try Self.position(of: before)
        return try await read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT \(Conversation.columns) FROM conversation c
                    WHERE c.erased IS NULL AND c.activity < ? ORDER BY c.activity DESC LIMIT ?
                    """,
                arguments: [position, limit + 1])
            let page = rows.prefix(limit)
            let next = rows.count > limit ? (page.last?["activity"] as Int64?).map(String.init) : nil
            return ConversationList(conversations: page.map(Conversation.init), next: next)
        }
    }

    /// Looks a conversation up.
    ///
    /// - Parameter id: its id.
    /// - Returns: the conversation, also a deleted one that can still be restored; `nil` where there is none.
    /// - Throws: `unreadable`.
    public func conversation(_ id: String) async throws(HistoryError) -> Conversation? {
        let time = now()
        return try await read { db in
            try Self.find(id, db).flatMap { $0.isGone(at: time) ? nil : $0.conversation }
        }
    }

    /// Reads a conversation with the messages of its shown branch, all of one moment.
    ///
    /// - Parameter id: the conversation's id.
    /// - Returns: `nil` where there is no such conversation.
    /// - Throws: `unreadable`.
    public func transcript(_ id: String) async throws(HistoryError) -> Transcript? {
        let time = now()
        return try await read { db in
            guard let found = try Self.find(id, db), !found.isGone(at: time) else { return nil }
            let messages = try found.conversation.head.map { try Self.branch(endingAt: $0, db) } ?? []
            return Transcript(conversation: found.conversation, messages: messages)
        }
    }

    /// Changes the fields that are given.
    ///
    /// - Parameters:
    ///   - id: the conversation's id.
    ///   - change: an empty `model` or `system` takes the conversation's own away; `head` shows the branch
    ///     through that message, on to the newest answer below it.
    /// - Returns: the conversation as it is now.
    /// - Throws: `conversationNotFound`, `conversationDeleted`, `messageNotFound`, `foreignParent`, `notSaved`.
    public func change(
        _ id: String, _ change: ConversationChange
    ) async throws(HistoryError) -> Conversation {
        let time = now()
        return try await write { db in
            let sequence = try Self.requireKept(id, db).sequence
            if let title = change.title { try Self.setTitle(title, of: sequence, db) }
            for (column, text) in [("model", change.model), ("system", change.system)] {
                guard let text else { continue }
                try db.execute(
                    sql: "UPDATE conversation SET \(column) = CAST(? AS TEXT) WHERE sequence = ?",
                    arguments: [text.isEmpty ? nil : text.stored, sequence])
            }
            if let head = change.head {
                let leaf = try Self.leaf(below: head, in: id, sequence: sequence, db)
                try db.execute(
                    sql: "UPDATE conversation SET head = ? WHERE sequence = ?", arguments: [leaf, sequence])
            }
            try db.execute(
                sql: "UPDATE conversation SET updated = ? WHERE sequence = ?",
                arguments: [time.milliseconds, sequence])
            return try Self.require(id, db).conversation
        }
    }

    // MARK: - Look-ups and steps inside a transaction

    private static func setTitle(_ title: String, of sequence: Int64, _ db: Database) throws {
        try SearchIndex.title.remove(where: "= ?", sequence, db)
        try db.execute(
            sql: "UPDATE conversation SET title = CAST(? AS TEXT) WHERE sequence = ?",
            arguments: [title.stored, sequence])
        try SearchIndex.title.add(where: "= ?", sequence, db)
    }

    /// A conversation with its row's key.
    struct Found {
        var sequence: Int64
        var conversation: Conversation

        /// Deleted, and the time to undo it has passed.
        func isGone(at time: Date) -> Bool { conversation.erasedAt.map { $0 <= time } ?? false }
    }

    static func find(_ id: String, _ db: Database) throws -> Found? {
        guard Identifier.isPlausible(id) else { return nil }
        let row = try Row.fetchOne(
            db, sql: "SELECT \(Conversation.columns) FROM conversation c WHERE c.id = ?", arguments: [id])
        return row.map { Found(sequence: $0["sequence"], conversation: Conversation($0)) }
    }

    static func require(_ id: String, _ db: Database) throws -> Found {
        guard let found = try find(id, db) else { throw HistoryError.conversationNotFound(id) }
        return found
    }

    /// A conversation that is there and not deleted.
    static func requireKept(_ id: String, _ db: Database) throws -> Found {
        let found = try require(id, db)
        guard found.conversation.erasedAt == nil else { throw HistoryError.conversationDeleted(id) }
        return found
    }
}
