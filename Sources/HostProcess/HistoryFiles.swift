import Glibc

/// The files of a history database, as names only.
public struct HistoryFiles {
    private let path: String

    public init(path: String) { self.path = path }

    /// Renames the database and its companions, so that the next one begins empty and nothing is lost.
    ///
    /// - Returns: the new name of the database, `nil` where there was none.
    public func setAside() throws(DaemonError) -> String? {
        let isThere = access(path, F_OK) == 0
        let suffix = ".set-aside-\(time(nil))"
        for companion in ["-wal", "-shm", ""] {
            let from = path + companion
            guard access(from, F_OK) == 0 else { continue }
            let to = path + suffix + companion
            guard rename(from, to) == 0 else {
                throw DaemonError(.cannotCreate, "Cannot set \(from) aside: \(lastSystemError()).")
            }
        }
        return isThere ? path + suffix : nil
    }
}
