import Glibc

/// What the system says of a file, through symbolic links: a model store often consists of them.
///
/// FileManager's attributes tell a link's own size, by numbers whose type depends on what else is linked.
public struct FileStatus: Sendable, Equatable {
    /// In bytes.
    public let size: Int
    public let isRegular: Bool

    /// Looks at a file; nil where there is none.
    public init?(_ path: String) {
        var status = stat()
        guard !path.utf8.contains(0), stat(path, &status) == 0 else { return nil }
        size = Int(status.st_size)
        isRegular = status.st_mode & S_IFMT == S_IFREG
    }
}
