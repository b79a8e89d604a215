import FoundationEssentials
import GRDB
import Glibc

/// The files of a history on disk: who may see them, and whether they are ours and whole.
///
/// All of this happens before a connection that can write is opened, so that a file that is refused stays
/// byte for byte as it was.
struct HistoryFile {
    let path: String

    private var directory: String {
        let end = path.lastIndex(of: "/") ?? path.startIndex
        return end == path.startIndex ? "/" : String(path[..<end])
    }

    // MARK: - Directory and file

    /// Makes the directory (0700), or checks one that is there.
    ///
    /// - Throws: `unsafeDirectory` where somebody else owns the directory or can write to it.
    func prepareDirectory() throws(HistoryError) {
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw .cannotOpen(path: path, finding: "the path is not absolute")
        }
        try makeDirectory()
    }

    /// Whether there is a history; an empty file is none.
    ///
    /// - Throws: `cannotOpen` for anything but a regular file of our own, which is closed to others.
    func exists() throws(HistoryError) -> Bool {
        let file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        if file < 0, errno == ENOENT { return false }
        guard file >= 0 else {
            throw .cannotOpen(path: path, finding: errno == ELOOP ? "it is a link" : Self.lastError())
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .cannotOpen(path: path, finding: Self.lastError()) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .cannotOpen(path: path, finding: "it is not a regular file")
        }
        guard status.st_uid == geteuid() else {
            throw .cannotOpen(path: path, finding: "it belongs to user \(status.st_uid)")
        }
        if status.st_mode & 0o177 != 0, fchmod(file, 0o600) != 0 {
            throw .cannotOpen(path: path, finding: "others can read it, and it cannot be closed to them")
        }
        return status.st_size > 0
    }

    /// Puts an empty history in place, whole or not at all: it is made under another name and moved.
    func create() throws(HistoryError) {
        let draft = path + ".new"
        for suffix in ["", "-journal", "-wal", "-shm"] { unlink(draft + suffix) }
        let file = open(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .cannotOpen(path: path, finding: Self.lastError()) }
        close(file)
        do {
            let queue = try DatabaseQueue(path: draft)
            try queue.writeWithoutTransaction { db in
                // From the start, since a kill in the change to WAL would leave a journal to be rolled back,
                // which the inspection, that cannot write, could not.
                try db.execute(sql: "PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL")
                try Schema.migrate(db)
            }
            try queue.close()
        } catch {
            unlink(draft)
            throw HistoryStore.openingError(error, path: path)
        }
        for suffix in ["-wal", "-shm", "-journal"] { unlink(path + suffix) }
        guard rename(draft, path) == 0 else {
            throw .cannotOpen(path: path, finding: Self.lastError())
        }
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    private func makeDirectory() throws(HistoryError) {
        var position = directory.startIndex
        var parents: [String] = []
        while let slash = directory[position...].dropFirst().firstIndex(of: "/") {
            parents.append(String(directory[..<slash]))
            position = slash
        }
        for parent in parents + [directory] where access(parent, F_OK) != 0 {
            guard mkdir(parent, 0o700) == 0 || errno == EEXIST else {
                throw .unsafeDirectory(path: parent, finding: Self.lastError())
            }
        }
        var status = stat()
        guard stat(directory, &status) == 0 else {
            throw .unsafeDirectory(path: directory, finding: Self.lastError())
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw .unsafeDirectory(path: directory, finding: "it is not a directory")
        }
        guard status.st_uid == geteuid() else {
            throw .unsafeDirectory(path: directory, finding: "it belongs to user \(status.st_uid)")
        }
        guard status.st_mode & 0o022 == 0 else {
            throw .unsafeDirectory(
                path: directory, finding: "others can write to it; run: chmod 700 \(directory)")
        }
    }

    /// What to tell the user about a file system whose locks or syncs may not hold; `nil` on all others.
    var fileSystemWarning: String? {
        (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)).flatMap(
            fileSystemWarning(mounts:))
    }

    /// The same, by a table of mounts in the form of `/proc/self/mounts`.
    func fileSystemWarning(mounts table: String) -> String? {
        let mounts = table.split(separator: "\n").map { $0.split(separator: " ") }.filter { $0.count > 2 }
        var best: [Substring] = []
        // Of equally long ones the later counts: it covers the earlier.
        for mount in mounts where path.hasPrefix(mount[1] == "/" ? "/" : mount[1] + "/") {
            if best.isEmpty || mount[1].count >= best[1].count { best = mount }
        }
        let networked: Set<Substring> = ["nfs", "nfs4", "9p", "cifs", "smb3", "fuse.sshfs"]
        guard !best.isEmpty, networked.contains(best[2]) else { return nil }
        let type = best[2]
        return "the history \(path) is on a network file system (\(type)), which can lose saved messages "
            + "at a crash; name a local file in history.path"
    }

    // MARK: - Contents

    /// Reads whether the file is a whole history of ours, by a connection that cannot write.
    func inspect() throws(HistoryError) {
        let hasLog = size(of: path + "-wal") > 0
        try inspectHeader(hasLog: hasLog)
        // SQLite makes a log and its index to read, too; neither is of use where there was none.
        defer { if !hasLog { for suffix in ["-wal", "-shm"] { unlink(path + suffix) } } }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.prepareDatabase { db in
            try db.execute(
                sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0")
        }
        let findings: Inspection
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            defer { try? queue.close() }
            findings = try queue.read(Inspection.init)
        } catch {
            throw HistoryStore.openingError(error, path: path)
        }
        try findings.check(path: path)
    }

    /// Checks what SQLite is lenient about: the first bytes, and a length that the header does not tell.
    ///
    /// With a log the file may be shorter: the crash of a checkpoint can leave it so, and the log has the rest.
    private func inspectHeader(hasLog: Bool) throws(HistoryError) {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw .cannotOpen(path: path, finding: Self.lastError()) }
        defer { close(file) }
        var header = [UInt8](repeating: 0, count: 100)
        let count = read(file, &header, header.count)
        guard count >= 0 else { throw .cannotOpen(path: path, finding: Self.lastError()) }
        guard header.prefix(count).starts(with: "SQLite format 3\0".utf8) else {
            throw .foreignFile(path: path, finding: "it is no SQLite database")
        }
        // Offsets 16 and 28 of the header: page size (1 stands for 65,536) and count of pages.
        let pageSize = header[16...17].reduce(0) { $0 << 8 | Int($1) }
        let pageCount = header[28...31].reduce(0) { $0 << 8 | Int($1) }
        let expected = (pageSize == 1 ? 65_536 : pageSize) * pageCount
        let found = size(of: path)
        guard count == header.count, hasLog || found >= expected else {
            throw .damaged(path: path, finding: "it has \(found) bytes, and should have \(expected)")
        }
    }

    /// Bytes of a file; 0 where there is none.
    private func size(of path: String) -> Int {
        var status = stat()
        return lstat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    private struct Inspection: Sendable {
        let applicationID: Int32
        let version: Int
        let damage: String?
        let hasExpectedSchema: Bool

        init(_ db: Database) throws {
            applicationID = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
            version = try Schema.userVersion(db)
            guard applicationID == Schema.applicationID, (1...Schema.version).contains(version) else {
                damage = nil
                hasExpectedSchema = false
                return
            }
            let report = try String.fetchOne(db, sql: "PRAGMA quick_check(1)")
            damage = report == "ok" ? nil : report ?? "no report"
            hasExpectedSchema = try Schema.statements(db) == Schema.expectedStatements(version: version)
        }

        func check(path: String) throws(HistoryError) {
            guard applicationID == Schema.applicationID else {
                throw .foreignFile(path: path, finding: "another program's SQLite database")
            }
            guard version <= Schema.version else {
                throw .newerSchema(path: path, found: version, supported: Schema.version)
            }
            guard version > 0 else { throw .damaged(path: path, finding: "version \(version)") }
            if let damage { throw .damaged(path: path, finding: damage) }
            // Triggers and views that we did not write could change what we read and write.
            guard hasExpectedSchema else {
                throw .foreignFile(path: path, finding: "its tables are not the ones that Inkling makes")
            }
        }
    }

    // MARK: - Setting aside

    /// Moves the file, and what is kept beside it, to `*.corrupt-<time>`; nothing is deleted.
    func setAside(
        _ suffixes: [String] = ["", "-wal", "-shm", PictureFiles.suffix], at date: Date
    ) throws(HistoryError) {
        let time = date.formatted(.iso8601.dateSeparator(.omitted).timeSeparator(.omitted))
        for suffix in suffixes where access(path + suffix, F_OK) == 0 {
            var target = "\(path).corrupt-\(time)\(suffix)"
            var attempt = 1
            while access(target, F_OK) == 0 {
                attempt += 1
                target = "\(path).corrupt-\(time)-\(attempt)\(suffix)"
            }
            guard rename(path + suffix, target) == 0 else {
                throw .cannotOpen(path: path, finding: Self.lastError())
            }
        }
    }

    static func lastError() -> String { String(cString: strerror(errno)) }
}
