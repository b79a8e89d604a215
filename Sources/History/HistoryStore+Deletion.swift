public import AssistantAPI
import FoundationEssentials
import GRDB

extension HistoryStore {
    /// Deletes a conversation, at first so that it can be restored.
    ///
    /// - Parameters:
    ///   - id: its id; one that is deleted already keeps its time.
    ///   - now: erases it at once and for good: rows, search entries and what the log still held.
    /// - Returns: the conversation, with the time at which it is (or was) erased.
    /// - Throws: `conversationNotFound`, `notSaved`.
    public func delete(_ id: String, now: Bool) async throws(HistoryError) -> Conversation {
        let time = self.now()
        let erasure = now ? time : Date(milliseconds: time.milliseconds &+ undoMilliseconds)
        let deleted = try await write { db in
            let found = try Self.require(id, db)
            if found.conversation.erasedAt == nil || now {
                try db.execute(
                    sql: "UPDATE conversation SET erased = ? WHERE sequence = ?",
                    arguments: [erasure.milliseconds, found.sequence])
            }
            let deleted = try Self.require(id, db).conversation
            if now { try Self.erase([found.sequence], db) }
            return deleted
        }
        if now { try await truncateLog() }
        return deleted
    }

    /// Brings a deleted conversation back.
    ///
    /// - Parameter id: its id; one that is not deleted stays as it is.
    /// - Returns: the conversation.
    /// - Throws: `conversationNotFound` once the time to undo has passed.
    public func restore(_ id: String) async throws(HistoryError) -> Conversation {
        let time = now()
        return try await write { db in
            let found = try Self.require(id, db)
            guard !found.isGone(at: time) else { throw HistoryError.conversationNotFound(id) }
            try db.execute(
                sql: "UPDATE conversation SET erased = NULL WHERE sequence = ?", arguments: [found.sequence])
            return try Self.require(id, db).conversation
        }
    }

    /// Erases for good what was deleted long enough ago; called at start and now and then.
    ///
    /// - Returns: how many conversations went.
    public func eraseExpired() async throws(HistoryError) -> Int {
        let time = now().milliseconds
        let count = try await write { db in
            let expired = try Int64.fetchAll(
                db, sql: "SELECT sequence FROM conversation WHERE erased <= ?", arguments: [time])
            if !expired.isEmpty { try Self.erase(expired, db) }
            return expired.count
        }
        if count > 0 || mustTruncateLog { try await truncateLog() }
        return count
    }

    /// Removes rows and every trace of their words in the search indexes.
    ///
    /// `secure_delete` overwrites what is freed; but a search index keeps the words of deleted rows until its
    /// parts are merged, which `optimize` does.
    private static func erase(_ conversations: [Int64], _ db: Database) throws {
        for conversation in conversations {
            let messages = "IN (SELECT sequence FROM message WHERE conversation = ?)"
            try SearchIndex.content.remove(where: messages, conversation, db)
            try SearchIndex.title.remove(where: "= ?", conversation, db)
            try db.execute(
                sql: """
                    UPDATE conversation SET head = NULL WHERE sequence = :conversation;
                    DELETE FROM message WHERE conversation = :conversation;
                    DELETE FROM conversation WHERE sequence = :conversation;
                    """,
                arguments: ["conversation": conversation])
        }
        for index in SearchIndex.allCases { try index.merge(db) }
    }
}
