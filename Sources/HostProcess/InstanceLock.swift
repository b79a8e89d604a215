import Glibc

/// The lock beside the socket: who holds it is the daemon, and alone may replace or remove the socket.
///
/// The kernel drops it when its holder ends, however that ends; the file itself stays.
public final class InstanceLock: Sendable {
    private let descriptor: CInt

    /// Takes the lock at once or says who has it.
    ///
    /// - Throws: status 73, with the holder's pid, when another daemon runs.
    public init(path: String) throws(DaemonError) {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw DaemonError(.cannotCreate, "Cannot open the lock file \(path): \(lastSystemError()).")
        }
        self.descriptor = descriptor
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let problem = lastSystemError()
            guard errno == EWOULDBLOCK else {
                throw DaemonError(.cannotCreate, "Cannot lock \(path): \(problem).")
            }
            let holder = Self.holder(descriptor).map { "process \($0)" } ?? "another process"
            throw DaemonError(
                .cannotCreate,
                "Another inklingd is running: \(holder) holds \(path). Stop it first, or use it.")
        }
        let text = "\(getpid())\n"
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, text, text.utf8.count, 0)
    }

    deinit { close(descriptor) }

    private static func holder(_ descriptor: CInt) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes[..<count].prefix { $0 != 0x0A }, as: UTF8.self))
    }
}
