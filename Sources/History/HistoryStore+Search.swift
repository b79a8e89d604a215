public import AssistantAPI
import FoundationEssentials
import GRDB

extension HistoryStore {
    /// Finds conversations by their titles and messages by what they say, best first.
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
            case .nothing: []
            case .words(let expression): try Self.match(expression, limit: limit, db)
            case .substrings(let terms): try Self.scan(for: terms, limit: limit, db)
            }
        }
    }

    /// Ranked by bm25; a title that says it is worth four messages that do.
    private static func match(_ expression: String, limit: Int, _ db: Database) throws -> [SearchMatch] {
        let snippet = "'\(SearchText.matchStart)', '\(SearchText.matchEnd)', '…', \(SearchText.snippetWords)"
        let rows = try Row.fetchAll(
            db,
            sql: """
                WITH hit AS MATERIALIZED (
                    SELECT t.conversation, t.message, t.snippet, t.rank FROM (
                        SELECT rowid AS conversation, NULL AS message,
                            snippet(title_search, 0, \(snippet)) AS snippet, bm25(title_search) * 4 AS rank
                        FROM title_search WHERE title_search MATCH :expression
                            AND rowid IN (SELECT sequence FROM conversation WHERE erased IS NULL)
                        ORDER BY rank LIMIT :limit
                    ) t
                    UNION ALL
                    SELECT m.conversation, m.sequence, s.snippet, s.rank FROM (
                        SELECT rowid AS sequence, snippet(content_search, 0, \(snippet)) AS snippet,
                            bm25(content_search) AS rank
                        FROM content_search WHERE content_search MATCH :expression
                            AND rowid IN (SELECT sequence FROM message WHERE conversation IN
                                (SELECT sequence FROM conversation WHERE erased IS NULL))
                        ORDER BY rank LIMIT :limit
                    ) s JOIN message m ON m.sequence = s.sequence
                )
                SELECT \(Conversation.columns), m.id AS message_id, CAST(hit.snippet AS BLOB) AS snippet
                FROM hit JOIN conversation c ON c.sequence = hit.conversation
                LEFT JOIN message m ON m.sequence = hit.message
                ORDER BY hit.rank, c.activity DESC, m.sequence DESC LIMIT :limit
                """,
            arguments: ["expression": expression, "limit": limit])
        return rows.map { row in
            SearchMatch(
                conversation: Conversation(row), message: row["message_id"],
                snippet: row.text("snippet") ?? "")
        }
    }

    /// Reads all texts; titles first, then the newest messages.
    private static func scan(for terms: [String], limit: Int, _ db: Database) throws -> [SearchMatch] {
        func condition(_ column: String) -> String {
            terms.indices.map { "\(column) LIKE :term\($0) ESCAPE '\\'" }.joined(separator: " AND ")
        }
        var arguments: [String: any DatabaseValueConvertible] = ["limit": limit]
        for (index, term) in terms.enumerated() {
            let escaped = term.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing(
                "_", with: "\\_")
            arguments["term\(index)"] = "%\(escaped)%"
        }
        let rows = try Row.fetchAll(
            db,
            sql: """
                WITH hit AS MATERIALIZED (
                    SELECT * FROM (SELECT t.sequence AS conversation, NULL AS message, t.title AS text
                        FROM conversation c JOIN title_text t ON t.sequence = c.sequence
                        WHERE c.erased IS NULL AND \(condition("t.title"))
                        ORDER BY c.activity DESC LIMIT :limit)
                    UNION ALL
                    SELECT * FROM (SELECT m.conversation, m.sequence, t.content
                        FROM message m JOIN message_text t ON t.sequence = m.sequence
                        JOIN conversation c ON c.sequence = m.conversation
                        WHERE c.erased IS NULL AND \(condition("t.content"))
                        ORDER BY m.sequence DESC LIMIT :limit)
                )
                SELECT \(Conversation.columns), m.id AS message_id, CAST(hit.text AS BLOB) AS text
                FROM hit JOIN conversation c ON c.sequence = hit.conversation
                LEFT JOIN message m ON m.sequence = hit.message
                ORDER BY hit.message IS NOT NULL, m.sequence DESC, c.activity DESC LIMIT :limit
                """,
            arguments: StatementArguments(arguments))
        return rows.map { row in
            SearchMatch(
                conversation: Conversation(row), message: row["message_id"],
                snippet: SearchText.snippet(of: row.text("text") ?? "", marking: terms))
        }
    }
}

extension SearchText {
    /// The text around the first place of the first term, with that place marked.
    static func snippet(of text: String, marking terms: [String]) -> String {
        guard let term = terms.first, let place = text.firstRange(ofCaseless: term) else {
            return String(text.prefix(snippetLetters))
        }
        let start = text.index(place.lowerBound, offsetBy: -snippetLetters / 4, limitedBy: text.startIndex)
        let end = text.index(place.upperBound, offsetBy: snippetLetters, limitedBy: text.endIndex)
        return (start == nil ? "" : "…") + text[(start ?? text.startIndex)..<place.lowerBound] + matchStart
            + text[place] + matchEnd + text[place.upperBound..<(end ?? text.endIndex)]
            + (end == nil ? "" : "…")
    }

    private static let snippetLetters = 80
}

extension String {
    /// LIKE folds the letters A to Z alone, and so does this.
    fileprivate func firstRange(ofCaseless term: String) -> Range<Index>? {
        func folded(_ text: String) -> [UInt8] {
            text.utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
        }
        guard let place = folded(self).firstRange(of: folded(term)) else { return nil }
        let start = utf8.index(utf8.startIndex, offsetBy: place.lowerBound)
        return start..<utf8.index(start, offsetBy: place.count)
    }
}
