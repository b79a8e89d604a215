import GRDB

extension HistoryStore {
    /// Looks whether the database is whole, as far as that can be told quickly.
    ///
    /// - Returns: what SQLite found wrong; nil when nothing is.
    /// - Throws: `unreadable`.
    public func findDamage() async throws(HistoryError) -> String? {
        try await read { db in
            let report = try String.fetchOne(db, sql: "PRAGMA quick_check(1)")
            return report == "ok" ? nil : report ?? "no report"
        }
    }
}
