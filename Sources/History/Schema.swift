import GRDB

/// The tables, and the steps that lead to them.
enum Schema {
    /// "INKL": marks a database file as ours.
    static let applicationID: Int32 = 0x494E_4B4C

    /// The version that this build reads and writes.
    static var version: Int { migrations.count }

    /// Step n leads from version n to n + 1.
    ///
    /// Only ever appended to: a step that was released stays as it is.
    private static let migrations: [@Sendable (Database) throws -> Void] = [
        createTables, createPictures, addPicturesOfMessages, createResponses,
    ]

    /// Brings a database from its version to `target`, each step in a transaction of its own.
    static func migrate(_ db: Database, to target: Int = version) throws {
        let current = try userVersion(db)
        guard current < target else { return }
        for step in current..<target {
            try db.inTransaction(.immediate) {
                try migrations[step](db)
                // Both are in the file's header, so they change with the tables or not at all.
                try db.execute(sql: "PRAGMA application_id = \(applicationID)")
                try db.execute(sql: "PRAGMA user_version = \(step + 1)")
                return .commit
            }
        }
    }

    static func userVersion(_ db: Database) throws -> Int {
        try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    }

    /// The statements that made everything in a database, but for the search index's own inner tables, whose
    /// text is up to the SQLite version that made them.
    static func statements(_ db: Database) throws -> [String] {
        try String.fetchAll(
            db,
            sql: """
                SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master
                WHERE name NOT GLOB '*_search_*' AND name NOT GLOB 'sqlite_*' ORDER BY 1
                """)
    }

    /// What `statements` gives for an untouched database of a version.
    static func expectedStatements(version: Int) throws -> [String] {
        let memory = try DatabaseQueue()
        return try memory.writeWithoutTransaction { db in
            try migrate(db, to: version)
            return try statements(db)
        }
    }

    /// Version 1.
    ///
    /// - Order comes from `sequence` and `activity`, never from the clock, which can jump.
    /// - The search indexes read their texts from the tables, so that nothing is stored twice.
    @Sendable private static func createTables(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE conversation (
                    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                    id TEXT NOT NULL UNIQUE,
                    activity INTEGER NOT NULL UNIQUE,
                    title TEXT NOT NULL,
                    model TEXT,
                    system TEXT,
                    head INTEGER REFERENCES message(sequence) DEFERRABLE INITIALLY DEFERRED,
                    created INTEGER NOT NULL,
                    updated INTEGER NOT NULL,
                    erased INTEGER
                ) STRICT;
                CREATE INDEX conversation_head ON conversation(head);
                CREATE INDEX conversation_erased ON conversation(erased) WHERE erased IS NOT NULL;

                CREATE TABLE message (
                    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                    id TEXT NOT NULL UNIQUE,
                    conversation INTEGER NOT NULL REFERENCES conversation(sequence),
                    parent INTEGER REFERENCES message(sequence),
                    role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant')),
                    content TEXT NOT NULL,
                    finish TEXT,
                    error TEXT,
                    model TEXT,
                    prompt_tokens INTEGER,
                    cached_tokens INTEGER,
                    completion_tokens INTEGER,
                    created INTEGER NOT NULL
                ) STRICT;
                CREATE INDEX message_place ON message(conversation, parent, role);
                CREATE INDEX message_parent ON message(parent);
                CREATE INDEX message_unfinished ON message(role) WHERE finish IS NULL AND role = 'assistant';
                """)
        for index in SearchIndex.allCases { try index.createVersion1(db) }
    }

    /// Version 2: pictures, whose files lie beside the database.
    ///
    /// Rows with the same hash share a file, which goes with the last of them.
    @Sendable private static func createPictures(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE picture (
                    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                    id TEXT NOT NULL UNIQUE,
                    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
                    format TEXT NOT NULL,
                    bytes INTEGER NOT NULL,
                    width INTEGER NOT NULL,
                    height INTEGER NOT NULL,
                    recipe TEXT NOT NULL,
                    created INTEGER NOT NULL
                ) STRICT;
                CREATE INDEX picture_file ON picture(sha256);
                """)
    }

    /// Version 3: messages that show a picture.
    ///
    /// No foreign key: a message outlives its picture, and that of a private conversation is in no table.
    @Sendable private static func addPicturesOfMessages(_ db: Database) throws {
        try db.execute(sql: "ALTER TABLE message ADD COLUMN picture TEXT")
    }

    /// Version 4: responses of OpenAI's API that others may follow.
    ///
    /// No foreign key: a response outlives the one before it, and cannot be continued then.
    @Sendable private static func createResponses(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE response (
                    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                    id TEXT NOT NULL UNIQUE,
                    previous TEXT,
                    created INTEGER NOT NULL,
                    input TEXT NOT NULL,
                    body TEXT NOT NULL
                ) STRICT;
                """)
    }
}
