import Glibc

/// The directory that holds the socket: the wall that keeps other users out.
public enum SocketDirectory {
    /// Makes the directory with mode 0700 where it is missing, and refuses one that others can enter.
    ///
    /// - Throws: status 78 for a link, for someone else's directory, and for an open one, naming the mend.
    public static func verify(_ path: String) throws(DaemonError) {
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw DaemonError(
                .configuration, "Cannot make the socket's directory \(path): \(lastSystemError()).")
        }
        var status = stat()
        guard lstat(path, &status) == 0 else {
            throw DaemonError(.configuration, "Cannot look at \(path): \(lastSystemError()).")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw DaemonError(.configuration, "The socket's directory \(path) is a link or no directory.")
        }
        guard status.st_uid == geteuid() else {
            throw DaemonError(
                .configuration,
                "The socket's directory \(path) belongs to user \(status.st_uid), not to user \(geteuid()).")
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            throw DaemonError(
                .configuration,
                "Others can enter the socket's directory \(path) (mode \(mode)). Run: chmod 700 \(path)")
        }
    }
}
