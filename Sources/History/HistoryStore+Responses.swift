public import AssistantAPI
import FoundationEssentials
import GRDB

extension HistoryStore {
    /// Saves a response: it is safe when this returns.
    ///
    /// Responses are in no conversation and no list, and no search finds them.
    ///
    /// - Throws: `responseNotSaved`.
    public func save(_ response: StoredResponse) async throws(HistoryError) {
        do throws(HistoryError) {
            try await write { db in
                try db.execute(
                    sql: """
                        INSERT INTO response (id, previous, created, input, body)
                        VALUES (:id, :previous, :created, CAST(:input AS TEXT), CAST(:body AS TEXT))
                        """,
                    arguments: [
                        "id": response.id, "previous": response.previous,
                        "created": response.createdAt.milliseconds, "input": response.input.stored,
                        "body": response.body.stored,
                    ])
            }
        } catch {
            if case .notSaved(let finding) = error { throw .responseNotSaved(finding: finding) }
            throw error
        }
    }

    /// Looks a response up.
    ///
    /// - Returns: the response; `nil` where there is none.
    /// - Throws: `unreadable`.
    public func response(_ id: String) async throws(HistoryError) -> StoredResponse? {
        guard Identifier.isPlausible(id) else { return nil }
        return try await read { db in try StoredResponse.fetch(id, db) }
    }

    /// A response with those before it, as far as they are there.
    ///
    /// - Parameters:
    ///   - id: the newest one.
    ///   - limit: at most so many.
    /// - Returns: them, newest first; the last one's `previous` is `nil` where the chain is whole.
    /// - Throws: `unreadable`.
    public func responses(endingAt id: String, limit: Int) async throws(HistoryError) -> [StoredResponse] {
        guard Identifier.isPlausible(id) else { return [] }
        return try await read { db in
            var responses: [StoredResponse] = []
            var next: String? = id
            while let id = next, responses.count < limit, let response = try StoredResponse.fetch(id, db) {
                responses.append(response)
                next = response.previous
            }
            return responses
        }
    }

    /// Deletes a response for good; those that follow it stay, and their chain ends there.
    ///
    /// - Returns: whether there was one.
    /// - Throws: `notSaved`.
    public func deleteResponse(_ id: String) async throws(HistoryError) -> Bool {
        guard Identifier.isPlausible(id) else { return false }
        let isGone = try await write { db in
            try db.execute(sql: "DELETE FROM response WHERE id = ?", arguments: [id])
            return db.changesCount > 0
        }
        if isGone { try await truncateLog() }
        return isGone
    }
}

extension StoredResponse {
    fileprivate static func fetch(_ id: String, _ db: Database) throws -> StoredResponse? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT id, previous, created, CAST(input AS BLOB) AS input, CAST(body AS BLOB) AS body
                FROM response WHERE id = ?
                """,
            arguments: [id])
        return row.map { row in
            StoredResponse(
                id: row["id"], previous: row["previous"], createdAt: row.date("created") ?? .distantPast,
                input: row.text("input") ?? "", body: row.text("body") ?? "")
        }
    }
}
