import Glibc

/// The listening socket, bound by us under the lock or inherited from a service manager.
public struct DaemonSocket: Sendable {
    public let descriptor: CInt
    public let path: String
    /// An inherited socket belongs to whoever made it and is never unlinked here.
    public let isInherited: Bool

    /// Binds `path` with mode 0600, replacing what a daemon left that was killed.
    ///
    /// Call only while holding the lock. Anything at `path` that is no socket is left alone.
    public static func bind(_ path: String) throws(DaemonError) -> DaemonSocket {
        try removeStale(path)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("make a socket for", path) }
        guard var address = sockaddr_un(path: path) else {
            close(descriptor)
            throw DaemonError(
                .configuration, "The socket's path is too long for the system (107 bytes at most): \(path)")
        }
        let bound = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        // Nobody can connect before listen, so the mode is right from the first moment that it matters.
        guard bound == 0, chmod(path, 0o600) == 0, listen(descriptor, SOMAXCONN) == 0 else {
            let error = failure("listen on", path)
            close(descriptor)
            throw error
        }
        return DaemonSocket(descriptor: descriptor, path: path, isInherited: false)
    }

    /// The socket that systemd passes as descriptor 3, when it does (`LISTEN_PID`, `LISTEN_FDS`).
    public static func inherited(_ environment: [String: String]) throws(DaemonError) -> DaemonSocket? {
        guard environment["LISTEN_PID"] == String(getpid()), let text = environment["LISTEN_FDS"],
            let count = Int(text), count > 0
        else { return nil }
        guard count == 1 else {
            throw DaemonError(.configuration, "Expected one socket from the service manager, found \(count).")
        }
        let first: CInt = 3
        var address = sockaddr_un()
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let found = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(first, $0, &length) }
        }
        guard found == 0, address.sun_family == AF_UNIX, let path = address.path, path.hasPrefix("/") else {
            throw DaemonError(
                .configuration, "The socket from the service manager is no Unix socket with a path.")
        }
        _ = fcntl(first, F_SETFD, FD_CLOEXEC)
        return DaemonSocket(descriptor: first, path: path, isInherited: true)
    }

    /// Removes the socket from the file system, where it is ours.
    public func remove() {
        if !isInherited { unlink(path) }
    }

    private static func removeStale(_ path: String) throws(DaemonError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw DaemonError(
                .cannotCreate, "\(path) is there and is no socket. Move it away, or choose another path.")
        }
        guard unlink(path) == 0 else { throw failure("replace", path) }
    }

    private static func failure(_ action: String, _ path: String) -> DaemonError {
        DaemonError(.cannotCreate, "Cannot \(action) \(path): \(lastSystemError()).")
    }
}

extension sockaddr_un {
    /// `nil` when the path is too long for the kernel.
    init?(path: String) {
        self.init()
        sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let fits = withUnsafeMutableBytes(of: &sun_path) { target in
            guard bytes.count < target.count, !bytes.contains(0) else { return false }
            target.copyBytes(from: bytes)
            return true
        }
        guard fits else { return nil }
    }

    var path: String? {
        withUnsafeBytes(of: sun_path) { String(validating: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
