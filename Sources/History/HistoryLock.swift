import Glibc

/// Keeps other daemons from the same history: two writers at once could damage it.
///
/// It locks a file beside the database, since closing any descriptor of the database itself would drop
/// SQLite's own locks.
final class HistoryLock: Sendable {
    private let descriptor: Int32

    init(path: String) throws(HistoryError) {
        descriptor = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw .cannotOpen(path: path, finding: HistoryFile.lastError())
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            let finding = HistoryFile.lastError()
            close(descriptor)
            throw isHeld ? .inUse(path: path) : .cannotOpen(path: path, finding: finding)
        }
    }

    deinit { close(descriptor) }
}
