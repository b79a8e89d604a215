import GRDB

/// The full-text indexes, kept in step with the texts by the operations that change those.
///
/// Triggers would do it too, but FTS5 is not to be used in them with `trusted_schema=OFF`.
enum SearchIndex: String, CaseIterable {
    case title, content

    private var name: String { "\(rawValue)_search" }

    /// The table that has the texts, in a column of this index's name.
    private var table: String {
        switch self {
        case .title: "conversation"
        case .content: "message"
        }
    }

    /// Makes the index as version 1 of the schema has it.
    ///
    /// The isolates U+2066 to U+2069 are younger than the Unicode of `unicode61`, which takes them for letters.
    func createVersion1(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE VIRTUAL TABLE \(name) USING fts5(
                    \(rawValue), content='\(table)', content_rowid='sequence',
                    tokenize="unicode61 remove_diacritics 2 separators '\u{2066}\u{2067}\u{2068}\u{2069}'")
                """)
    }

    /// Takes rows in, after they were written; `rows` is a condition on `sequence`.
    func add(where rows: String, _ argument: Int64, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO \(name)(rowid, \(rawValue))
                SELECT sequence, \(rawValue) FROM \(table) WHERE sequence \(rows)
                """,
            arguments: [argument])
    }

    /// Takes rows out, before they are changed or deleted: it needs the text that went in.
    func remove(where rows: String, _ argument: Int64, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO \(name)(\(name), rowid, \(rawValue))
                SELECT 'delete', sequence, \(rawValue) FROM \(table) WHERE sequence \(rows)
                """,
            arguments: [argument])
    }

    /// Makes the index anew from the texts.
    func rebuild(_ db: Database) throws {
        try db.execute(sql: "INSERT INTO \(name)(\(name)) VALUES ('rebuild')")
    }

    /// Whether an error means that an index is damaged; the texts themselves may be whole.
    static func isDamage(_ error: any Error) -> Bool {
        (error as? DatabaseError)?.extendedResultCode == .SQLITE_CORRUPT_VTAB
    }

    /// Merges the parts of the index, without which the words of deleted rows stay in it.
    func merge(_ db: Database) throws {
        try db.execute(sql: "INSERT INTO \(name)(\(name)) VALUES ('optimize')")
    }
}
