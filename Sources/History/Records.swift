import AssistantAPI
import FoundationEssentials
import GRDB

// Texts go in and out as their bytes (`CAST(? AS TEXT)`, `CAST(column AS BLOB)`): as C strings they would
// end at the first NUL.

extension String {
    /// The bytes of this text, as an argument for `CAST(? AS TEXT)`.
    var stored: Data { Data(utf8) }
}

extension Row {
    /// The text of a column that was selected `AS BLOB`.
    func text(_ column: String) -> String? {
        (self[column] as Data?).map { String(decoding: $0, as: UTF8.self) }
    }

    func date(_ column: String) -> Date? { (self[column] as Int64?).map(Date.init(milliseconds:)) }
}

extension Conversation {
    /// Needs `conversation c` in FROM.
    static let columns = """
        c.sequence, c.id, c.activity, CAST(c.title AS BLOB) AS title, CAST(c.model AS BLOB) AS model,
        CAST(c.system AS BLOB) AS system, c.created, c.updated, c.erased,
        (SELECT h.id FROM message h WHERE h.sequence = c.head) AS head,
        (SELECT count(*) FROM message n WHERE n.conversation = c.sequence) AS message_count
        """

    init(_ row: Row) {
        self.init(
            id: row["id"], title: row.text("title") ?? "", model: row.text("model"),
            system: row.text("system"), createdAt: row.date("created") ?? .distantPast,
            updatedAt: row.date("updated") ?? .distantPast, head: row["head"],
            messageCount: row["message_count"], erasedAt: row.date("erased"))
    }
}

extension Message {
    /// Needs `message m` in FROM.
    static let columns = """
        m.sequence, m.id, m.role, CAST(m.content AS BLOB) AS content, m.finish, m.created,
        CAST(m.error AS BLOB) AS error, CAST(m.model AS BLOB) AS model,
        m.prompt_tokens, m.cached_tokens, m.completion_tokens, m.picture,
        (SELECT c.id FROM conversation c WHERE c.sequence = m.conversation) AS conversation_id,
        (SELECT p.id FROM message p WHERE p.sequence = m.parent) AS parent_id,
        (SELECT count(*) FROM message s WHERE s.conversation = m.conversation AND s.parent IS m.parent
            AND s.role = m.role) AS sibling_count,
        (SELECT count(*) FROM message s WHERE s.conversation = m.conversation AND s.parent IS m.parent
            AND s.role = m.role AND s.sequence < m.sequence) AS sibling_index
        """

    init(_ row: Row) {
        var usage: Usage?
        if let prompt = row["prompt_tokens"] as Int? {
            usage = Usage(
                promptTokens: prompt, cachedTokens: row["cached_tokens"] ?? 0,
                completionTokens: row["completion_tokens"] ?? 0)
        }
        self.init(
            id: row["id"], conversation: row["conversation_id"], parent: row["parent_id"],
            role: Role(rawValue: row["role"]) ?? .user, content: row.text("content") ?? "",
            createdAt: row.date("created") ?? .distantPast,
            finish: (row["finish"] as String?).flatMap(FinishReason.init(rawValue:)),
            error: row.text("error"), model: row.text("model"), usage: usage, picture: row["picture"],
            siblingCount: row["sibling_count"], siblingIndex: row["sibling_index"])
    }
}
