import GRDB

/// SQLite's result codes in our own words.
extension HistoryStore {
    static func openingError(_ error: any Error, path: String) -> HistoryError {
        if let error = error as? HistoryError { return error }
        guard let error = error as? DatabaseError else { return .cannotOpen(path: path, finding: "\(error)") }
        switch error.resultCode {
        case .SQLITE_CORRUPT: return .damaged(path: path, finding: finding(error))
        case .SQLITE_NOTADB: return .foreignFile(path: path, finding: "it is no SQLite database")
        case .SQLITE_BUSY, .SQLITE_LOCKED: return .inUse(path: path)
        default: return .cannotOpen(path: path, finding: finding(error))
        }
    }

    static func writingError(_ error: any Error) -> HistoryError {
        if let error = error as? HistoryError { return error }
        return .notSaved(finding: (error as? DatabaseError).map(finding) ?? "\(error)")
    }

    static func readingError(_ error: any Error) -> HistoryError {
        if let error = error as? HistoryError { return error }
        return .unreadable(finding: (error as? DatabaseError).map(finding) ?? "\(error)")
    }

    /// A few words without the statement and its arguments, which would carry what the user wrote into logs.
    private static func finding(_ error: DatabaseError) -> String {
        switch error.resultCode {
        case .SQLITE_FULL: "the disk is full"
        case .SQLITE_READONLY: "the file or its directory is read-only"
        case .SQLITE_IOERR: "disk I/O error, code \(error.extendedResultCode.rawValue)"
        case .SQLITE_CORRUPT: "damaged data, code \(error.extendedResultCode.rawValue)"
        case .SQLITE_TOOBIG: "the text is too long"
        case .SQLITE_CANTOPEN: "the file or one beside it cannot be opened"
        case .SQLITE_NOMEM: "out of memory"
        default: error.message ?? "SQLite code \(error.extendedResultCode.rawValue)"
        }
    }
}
