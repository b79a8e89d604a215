public import AssistantAPI
import FoundationEssentials
import GRDB

extension HistoryStore {
    /// Saves a message and shows the branch that ends at it.
    ///
    /// - Parameter message: with the id of `makeID()`, its conversation and the message that it follows; `nil`
    ///   as parent begins a branch at the root. An answer that is still to be written has no `finish`.
    /// - Returns: the message with its place among its siblings, after COMMIT.
    /// - Throws: `conversationNotFound`, `conversationDeleted`, `messageNotFound` for the parent,
    ///   `foreignParent`, `messageExists`, `malformedID`, `notSaved`.
    public func append(_ message: Message) async throws(HistoryError) -> Message {
        let time = now()
        return try await write { db in try Self.append(message, at: time, db) }
    }

    /// Saves messages of which each may follow one before it, all of them or none.
    ///
    /// - Parameter messages: as for one alone, oldest first.
    /// - Returns: the messages with their places among their siblings, after COMMIT.
    /// - Throws: as for one alone.
    public func append(_ messages: [Message]) async throws(HistoryError) -> [Message] {
        let time = now()
        return try await write { db in try messages.map { try Self.append($0, at: time, db) } }
    }

    /// Keeps what an unfinished answer says so far, for the case that the daemon is killed.
    ///
    /// - Parameters:
    ///   - content: the whole text until now.
    ///   - id: the answer's id.
    /// - Throws: `messageNotFound`, `alreadyFinished`, `notSaved`.
    public func save(_ content: String, of id: Message.ID) async throws(HistoryError) {
        try await write { db in
            let sequence = try Self.requireUnfinished(id, db)
            try Self.setContent(content, of: sequence, db)
        }
    }

    /// Completes an answer that was appended without `finish`.
    ///
    /// - Returns: the answer as it is kept, after COMMIT.
    /// - Throws: `messageNotFound`; `alreadyFinished` for a finished answer or a user's message; `notSaved`,
    ///   after which the same call can be made again.
    // swift-format-ignore: ValidateDocumentationComments
    public func finish(
        _ id: Message.ID, content: String, finish: FinishReason, error: String?, model: String?,
        usage: Usage?,
        picture: Picture.ID? = nil
    ) async throws(HistoryError) -> Message {
        let time = now()
        return try await write { db in
            let sequence = try Self.requireUnfinished(id, db)
            try Self.setContent(content, of: sequence, db)
            try db.execute(
                sql: """
                    UPDATE message SET finish = :finish, error = CAST(:error AS TEXT),
                        model = coalesce(CAST(:model AS TEXT), model), prompt_tokens = :prompt,
                        cached_tokens = :cached, completion_tokens = :completion,
                        picture = coalesce(:picture, picture)
                    WHERE sequence = :sequence
                    """,
                arguments: [
                    "sequence": sequence, "finish": finish.rawValue, "error": error?.stored,
                    "model": model?.stored,
                    "prompt": usage?.promptTokens, "cached": usage?.cachedTokens,
                    "completion": usage?.completionTokens, "picture": picture,
                ])
            try db.execute(
                sql: """
                    UPDATE conversation SET updated = ?
                    WHERE sequence = (SELECT conversation FROM message WHERE sequence = ?)
                    """,
                arguments: [time.milliseconds, sequence])
            return try Self.require(message: id, db)
        }
    }

    /// Looks a message up.
    ///
    /// - Parameter id: its id.
    /// - Returns: `nil` where there is none.
    /// - Throws: `unreadable`.
    public func message(_ id: Message.ID) async throws(HistoryError) -> Message? {
        try await read { db in try Self.row(of: id, db).map(Message.init) }
    }

    /// Reads the messages from the first to the one named, oldest first.
    ///
    /// - Parameter message: the last one.
    /// - Returns: the branch, which may leave the shown one.
    /// - Throws: `messageNotFound`, `unreadable`.
    public func branch(endingAt message: Message.ID) async throws(HistoryError) -> [Message] {
        try await read { db in
            _ = try Self.require(message: message, db)
            return try Self.branch(endingAt: message, db)
        }
    }

    /// Reads the messages of all branches, oldest first.
    ///
    /// - Parameter conversation: the conversation's id.
    /// - Returns: nothing where there is no such conversation.
    /// - Throws: `unreadable`.
    public func messages(of conversation: Conversation.ID) async throws(HistoryError) -> [Message] {
        try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT \(Message.columns) FROM message m
                    WHERE m.conversation = (SELECT sequence FROM conversation WHERE id = ?) ORDER BY m.sequence
                    """,
                arguments: [conversation]
            ).map(Message.init)
        }
    }

    /// Marks the answers that were being written when the last daemon ended; called once, at start.
    ///
    /// - Returns: how many there were.
    public func markInterrupted() async throws(HistoryError) -> Int {
        try await write { db in
            try db.execute(
                sql: "UPDATE message SET finish = ? WHERE role = 'assistant' AND finish IS NULL",
                arguments: [FinishReason.interrupted.rawValue])
            return db.changesCount
        }
    }

    // MARK: - Look-ups and steps inside a transaction

    private static func append(_ message: Message, at time: Date, _ db: Database) throws -> Message {
        let conversation = try requireKept(message.conversation, db).sequence
        let parent = try message.parent.map {
            try place(of: $0, in: message.conversation, sequence: conversation, db)
        }
        guard Identifier.isPlausible(message.id) else { throw HistoryError.malformedID(message.id) }
        guard try row(of: message.id, db) == nil else { throw HistoryError.messageExists(message.id) }
        let sequence = try insert(message, conversation: conversation, parent: parent, db)
        try db.execute(
            sql: """
                UPDATE conversation SET head = ?, updated = ?,
                    activity = (SELECT max(activity) + 1 FROM conversation)
                WHERE sequence = ?
                """,
            arguments: [sequence, time.milliseconds, conversation])
        return try require(message: message.id, db)
    }

    static func row(of id: Message.ID, _ db: Database) throws -> Row? {
        guard Identifier.isPlausible(id) else { return nil }
        return try Row.fetchOne(
            db, sql: "SELECT \(Message.columns) FROM message m WHERE m.id = ?", arguments: [id])
    }

    static func require(message id: Message.ID, _ db: Database) throws -> Message {
        guard let row = try row(of: id, db) else { throw HistoryError.messageNotFound(id) }
        return Message(row)
    }

    /// The key of the row of an answer that is still being written.
    private static func requireUnfinished(_ id: Message.ID, _ db: Database) throws -> Int64 {
        guard let row = try row(of: id, db) else { throw HistoryError.messageNotFound(id) }
        let message = Message(row)
        guard message.role == .assistant, message.finish == nil else {
            throw HistoryError.alreadyFinished(id)
        }
        return row["sequence"]
    }

    /// The key of a message's row, if it belongs to the conversation.
    private static func place(
        of id: Message.ID, in conversation: Conversation.ID, sequence: Int64, _ db: Database
    ) throws -> Int64 {
        let row =
            Identifier.isPlausible(id)
            ? try Row.fetchOne(
                db, sql: "SELECT sequence, conversation FROM message WHERE id = ?", arguments: [id]) : nil
        guard let row else { throw HistoryError.messageNotFound(id) }
        guard row["conversation"] == sequence else {
            throw HistoryError.foreignParent(message: id, conversation: conversation)
        }
        return row["sequence"]
    }

    /// The end of the branch through a message: its newest child's newest child, and so on.
    static func leaf(
        below id: Message.ID, in conversation: Conversation.ID, sequence: Int64, _ db: Database
    ) throws -> Int64? {
        let start = try place(of: id, in: conversation, sequence: sequence, db)
        // A child is always newer than its parent, so the last of the path is the greatest.
        return try Int64.fetchOne(
            db,
            sql: """
                WITH RECURSIVE path(sequence) AS (
                    SELECT ?
                    UNION ALL
                    SELECT (SELECT max(m.sequence) FROM message m WHERE m.parent = path.sequence) AS child
                    FROM path WHERE path.sequence IS NOT NULL
                ) SELECT max(sequence) FROM path
                """,
            arguments: [start])
    }

    static func branch(endingAt id: Message.ID, _ db: Database) throws -> [Message] {
        try Row.fetchAll(
            db,
            sql: """
                WITH RECURSIVE path(sequence, parent) AS (
                    SELECT sequence, parent FROM message WHERE id = ?
                    UNION ALL
                    SELECT m.sequence, m.parent FROM message m JOIN path ON m.sequence = path.parent
                )
                SELECT \(Message.columns) FROM path JOIN message m ON m.sequence = path.sequence
                ORDER BY m.sequence
                """,
            arguments: [id]
        ).map(Message.init)
    }

    private static func insert(
        _ message: Message, conversation: Int64, parent: Int64?, _ db: Database
    ) throws -> Int64 {
        try db.execute(
            sql: """
                INSERT INTO message (id, conversation, parent, role, content, finish, error,
                    model, prompt_tokens, cached_tokens, completion_tokens, picture, created)
                VALUES (:id, :conversation, :parent, :role, CAST(:content AS TEXT), :finish,
                    CAST(:error AS TEXT), CAST(:model AS TEXT), :prompt, :cached, :completion, :picture,
                    :created)
                """,
            arguments: [
                "id": message.id, "conversation": conversation, "parent": parent,
                "role": message.role.rawValue, "content": message.content.stored,
                "finish": message.finish?.rawValue, "error": message.error?.stored,
                "model": message.model?.stored, "prompt": message.usage?.promptTokens,
                "cached": message.usage?.cachedTokens, "completion": message.usage?.completionTokens,
                "picture": message.picture, "created": message.createdAt.milliseconds,
            ])
        let sequence = db.lastInsertedRowID
        try SearchIndex.content.add(where: "= ?", sequence, db)
        return sequence
    }

    private static func setContent(_ content: String, of sequence: Int64, _ db: Database) throws {
        try SearchIndex.content.remove(where: "= ?", sequence, db)
        try db.execute(
            sql: "UPDATE message SET content = CAST(? AS TEXT) WHERE sequence = ?",
            arguments: [content.stored, sequence])
        try SearchIndex.content.add(where: "= ?", sequence, db)
    }
}
