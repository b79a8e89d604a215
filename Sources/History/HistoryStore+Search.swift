public import AssistantAPI
import FoundationEssentials
import GRDB

extension HistoryStore {
    /// Finds conversations by their titles and messages by what they say.
    ///
    /// Titles come before messages, for a conversation with the word in its title is about it; both are ranked
    /// by bm25, and the newer of two equals comes first.
    ///
    /// - Parameters:
    ///   - query: words that must all occur, in any case and with or without diacritics, the last one at least
    ///     as the beginning of a word. Nothing in it is syntax.
    ///   - limit: most matches.
    /// - Returns: matches in conversations that are not deleted.
    /// - Throws: `unreadable`.
    public func search(_ query: String, limit: Int) async throws(HistoryError) -> [SearchMatch] {
        let limit = max(1, min(limit, 1000))
        let query = SearchQuery(query)
        return try await read { db in
            switch query {
            case .nothing:
                return []
            case .words(let expression, let terms):
                let rows = try Row.fetchAll(
                    db, sql: Self.wordSearch, arguments: ["expression": expression, "limit": limit])
                return rows.map { row in
                    SearchMatch(row) {
                        Snippet.marking(wordsOf: terms, lastIsPrefix: expression.hasSuffix("*"), in: $0)
                    }
                }
            case .substrings(let terms):
                let rows = try Self.scan(for: terms, limit: limit, db)
                return rows.map { row in SearchMatch(row) { Snippet.marking(terms[0], in: $0) } }
            }
        }
    }

    private static let kept = "IN (SELECT sequence FROM conversation WHERE erased IS NULL)"

    private static let wordSearch = """
        WITH hit AS MATERIALIZED (
            SELECT * FROM (
                SELECT rowid AS conversation, NULL AS message, bm25(title_search) AS score
                FROM title_search WHERE title_search MATCH :expression AND rowid \(kept)
                ORDER BY score, rowid DESC LIMIT :limit
            )
            UNION ALL
            SELECT * FROM (
                SELECT m.conversation, m.sequence, bm25(content_search) AS score
                FROM content_search JOIN message m ON m.sequence = content_search.rowid
                WHERE content_search MATCH :expression AND m.conversation \(kept)
                ORDER BY score, m.sequence DESC LIMIT :limit
            )
        )
        SELECT \(Conversation.columns), m.id AS message_id,
            CAST(coalesce(m.content, c.title) AS BLOB) AS text
        FROM hit JOIN conversation c ON c.sequence = hit.conversation
        LEFT JOIN message m ON m.sequence = hit.message
        ORDER BY m.sequence IS NOT NULL, hit.score, m.sequence DESC, c.activity DESC LIMIT :limit
        """

    /// Reads all texts; titles first, then the newest messages.
    private static func scan(for terms: [String], limit: Int, _ db: Database) throws -> [Row] {
        func condition(_ column: String) -> String {
            terms.indices.map { "\(column) LIKE :term\($0) ESCAPE '\\'" }.joined(separator: " AND ")
        }
        var arguments: [String: any DatabaseValueConvertible] = ["limit": limit]
        for (index, term) in terms.enumerated() {
            let escaped = term.replacing("\\", with: "\\\\").replacing("%", with: "\\%")
                .replacing("_", with: "\\_")
            arguments["term\(index)"] = "%\(escaped)%"
        }
        return try Row.fetchAll(
            db,
            sql: """
                WITH hit AS MATERIALIZED (
                    SELECT * FROM (SELECT c.sequence AS conversation, NULL AS message FROM conversation c
                        WHERE c.erased IS NULL AND \(condition("c.title"))
                        ORDER BY c.activity DESC LIMIT :limit)
                    UNION ALL
                    SELECT * FROM (SELECT m.conversation, m.sequence FROM message m
                        WHERE m.conversation \(kept) AND \(condition("m.content"))
                        ORDER BY m.sequence DESC LIMIT :limit)
                )
                SELECT \(Conversation.columns), m.id AS message_id,
                    CAST(coalesce(m.content, c.title) AS BLOB) AS text
                FROM hit JOIN conversation c ON c.sequence = hit.conversation
                LEFT JOIN message m ON m.sequence = hit.message
                ORDER BY m.sequence IS NOT NULL, m.sequence DESC, c.activity DESC LIMIT :limit
                """,
            arguments: StatementArguments(arguments))
    }
}

extension SearchMatch {
    fileprivate init(_ row: Row, snippet: (String) -> String) {
        self.init(
            conversation: Conversation(row), message: row["message_id"],
            snippet: snippet(row.text("text") ?? ""))
    }
}
