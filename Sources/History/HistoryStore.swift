public import FoundationEssentials
import GRDB
import Synchronization

/// The conversations and pictures of one user, in one SQLite file or in memory.
///
/// One connection writes, and it alone checkpoints the write-ahead log; others only read. (SQLite 3.7.0 to
/// 3.51.2 can damage a file when two connections write or checkpoint at once.) A call that changes something
/// returns after COMMIT with `synchronous=FULL`: what it acknowledged outlives a crash and a power failure.
/// Cancelling the calling task cancels no call: a cancelled answer is saved all the same.
///
/// For example:
/// ```swift
/// let history = try HistoryStore.open(path: paths.history)
/// let conversation = try await history.create(ConversationDraft(title: "Ink"))
/// ```
///
/// All calls throw `HistoryError`. After a full disk or an I/O error nothing of the change is kept, and the next
/// call tries again: no restart is needed.
public struct HistoryStore: Sendable {
    /// What the user should know about the place of the file, if anything.
    public let warning: String?
    /// Version of the SQLite library.
    public let libraryVersion: String

    /// Where the files of pictures lie; `nil` for a store in memory, which keeps none.
    let pictureFiles: PictureFiles?

    let database: any DatabaseWriter
    let undoMilliseconds: Int64
    let now: @Sendable () -> Date
    private let shared: Shared

    /// What all copies of a store have together.
    private final class Shared: Sendable {
        /// Held as long as the store is open.
        let lock: Mutex<HistoryLock?>
        let isClosed = Atomic(false)
        /// Erased text may still be in the write-ahead log.
        let mustTruncateLog = Atomic(false)

        init(lock: HistoryLock?) { self.lock = Mutex(lock) }
    }

    // MARK: - Opening and closing

    /// Opens a history, and makes it where there is none.
    ///
    /// - Parameters:
    ///   - path: absolute path of the file; `nil` keeps everything in memory (private conversations, tests).
    ///   - undoSeconds: for how long a deleted conversation can be brought back.
    ///   - startFresh: moves a damaged or foreign file aside, as `*.corrupt-<time>`, and begins a new one.
    ///   - now: the clock; it is only shown and never orders anything.
    /// - Returns: the open store.
    /// - Throws: a `HistoryError` that says what is wrong with the file and what to do; the file is untouched.
    public static func open(
        path: String?, undoSeconds: Int = 600, startFresh: Bool = false,
        now: @escaping @Sendable () -> Date = { Date() }
    ) throws(HistoryError) -> HistoryStore {
        guard let path else {
            return try HistoryStore(path: ":memory:", warning: nil, lock: nil, undoSeconds, now) {
                try DatabaseQueue(configuration: connectionConfiguration())
            }
        }
        let file = HistoryFile(path: path)
        try file.prepareDirectory()
        let lock = try HistoryLock(path: path)
        let isNew = try !file.exists()
        if !isNew {
            do {
                try file.inspect()
            } catch {
                switch error {
                case .damaged where startFresh, .foreignFile where startFresh:
                    try file.setAside(at: now())
                default: throw error
                }
            }
        }
        if try !file.exists() {
            // Pictures without their history are nobody's to sweep away.
            if isNew { try file.setAside([PictureFiles.suffix], at: now()) }
            try file.create()
        }
        return try HistoryStore(path: path, warning: file.fileSystemWarning, lock: lock, undoSeconds, now) {
            try DatabasePool(path: path, configuration: connectionConfiguration())
        }
    }

    private init(
        path: String, warning: String?, lock: HistoryLock?, _ undoSeconds: Int,
        _ now: @escaping @Sendable () -> Date, connect: () throws -> any DatabaseWriter
    ) throws(HistoryError) {
        do {
            database = try connect()
            libraryVersion = try database.writeWithoutTransaction { db in
                // The pool chose NORMAL, with which a power failure can take the last commits.
                try db.execute(sql: "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304")
                try Schema.migrate(db)
                return try String.fetchOne(db, sql: "SELECT sqlite_version()") ?? ""
            }
            // What an erased conversation left in the log when the last daemon was killed goes now.
            try database.barrierWriteWithoutTransaction { db in
                _ = try db.checkpoint(.truncate)
            }
        } catch {
            throw Self.openingError(error, path: path)
        }
        self.warning = warning
        self.now = now
        pictureFiles = lock == nil ? nil : PictureFiles(beside: path)
        undoMilliseconds = Int64(clamping: undoSeconds.multipliedReportingOverflow(by: 1000).partialValue)
        shared = Shared(lock: lock)
        sweepPictures()
    }

    private static func connectionConfiguration() -> Configuration {
        var configuration = Configuration()
        configuration.label = "history"
        configuration.maximumReaderCount = 2
        configuration.busyMode = .timeout(5)
        configuration.foreignKeysEnabled = true
        configuration.prepareDatabase { db in
            // Temporary tables would put text into files that nobody erases.
            try db.execute(
                sql: """
                    PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
                    PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;
                    """)
        }
        return configuration
    }

    /// Writes the log back into the file and closes; calls that come later throw, but closing twice is no error.
    public func close() async throws(HistoryError) {
        guard !shared.isClosed.exchange(true, ordering: .relaxed) else { return }
        try await truncateLog()
        do {
            // Readers first: the connection that is closed last tidies up, and only the writer can.
            (database as? DatabasePool)?.releaseMemory()
            try database.close()
        } catch {
            throw Self.writingError(error)
        }
        shared.lock.withLock { $0 = nil }
    }

    /// An id for a conversation or message: unique, URL-safe, sorted by time.
    ///
    /// - Parameter date: the time that is part of it.
    /// - Returns: 26 letters and digits.
    public static func makeID(at date: Date = Date()) -> String {
        var random = SystemRandomNumberGenerator()
        return Identifier.make(at: date, using: &random)
    }

    // MARK: - Access

    /// Runs a change in a transaction of the one writer, and returns after COMMIT.
    func write<Value: Sendable>(
        _ change: @escaping @Sendable (Database) throws -> Value
    ) async throws(HistoryError) -> Value {
        do {
            return try await healing { try await write(once: change) }
        } catch {
            throw Self.writingError(error)
        }
    }

    /// Runs a query on one unchanging state of the database.
    func read<Value: Sendable>(
        _ query: @escaping @Sendable (Database) throws -> Value
    ) async throws(HistoryError) -> Value {
        do {
            return try await healing { try await read(once: query) }
        } catch {
            throw Self.readingError(error)
        }
    }

    /// The place below which a page begins, by the `next` of the page before; beyond all rows without one.
    static func position(of cursor: String?) throws(HistoryError) -> Int64 {
        guard let cursor else { return .max }
        guard let position = Int64(cursor), position >= 0 else { throw .malformedCursor(cursor) }
        return position
    }

    /// Tries once more with new search indexes where one is damaged: they can be made again from the texts, and
    /// must not keep a message from being saved.
    private func healing<Value>(_ access: () async throws -> Value) async throws -> Value {
        do {
            return try await access()
        } catch  where SearchIndex.isDamage(error) {
            try await write(once: { db in for index in SearchIndex.allCases { try index.rebuild(db) } })
            return try await access()
        }
    }

    // Not GRDB's async calls: those stop when the task is cancelled, and an answer that was cancelled is still
    // to be saved.

    private func write<Value: Sendable>(
        once change: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            database.asyncWrite(change) { _, result in continuation.resume(with: result) }
        }
    }

    private func read<Value: Sendable>(
        once query: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            database.asyncRead { database in continuation.resume(with: Result { try query(database.get()) }) }
        }
    }

    /// Empties the write-ahead log into the file, once no reader needs it.
    func truncateLog() async throws(HistoryError) {
        guard database is DatabasePool else { return }
        shared.mustTruncateLog.store(true, ordering: .relaxed)
        let result: Result<Void, any Error> = await withCheckedContinuation { continuation in
            database.asyncBarrierWriteWithoutTransaction { database in
                continuation.resume(returning: Result { _ = try database.get().checkpoint(.truncate) })
            }
        }
        do {
            try result.get()
        } catch {
            throw Self.writingError(error)
        }
        shared.mustTruncateLog.store(false, ordering: .relaxed)
    }

    /// Whether an earlier `truncateLog` failed.
    var mustTruncateLog: Bool { shared.mustTruncateLog.load(ordering: .relaxed) }
}
