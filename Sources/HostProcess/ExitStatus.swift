import Glibc

/// How the daemon ends, by sysexits.h.
public enum ExitStatus: Int32, Sendable {
    case success = 0
    /// A command line that cannot be understood.
    case usage = 64
    /// Data that is there but damaged: the history, say.
    case badData = 65
    /// A service that is needed is not to be had.
    case unavailable = 69
    case internalError = 70
    /// The socket or its lock cannot be taken; most often another daemon has it.
    case cannotCreate = 73
    /// The configuration or a directory is wrong.
    case configuration = 78
}

/// A reason why the daemon cannot run, with a sentence for the person who started it.
public struct DaemonError: Error, Sendable, Equatable, CustomStringConvertible {
    public let status: ExitStatus
    public let message: String

    public init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    public var description: String { message }
}

/// What the last failed system call says of itself.
func lastSystemError() -> String {
    String(cString: strerror(errno))
}
