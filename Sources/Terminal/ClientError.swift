import Glibc

/// Why the daemon could not be asked, or what it answered instead; each with a sentence that helps.
public enum ClientError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Nothing listens on the socket.
    case notRunning(socket: String)
    /// The socket cannot be used; what the system said.
    case unreachable(socket: String, reason: String)
    /// Another user's process answers on the socket.
    case foreignServer(socket: String, user: UInt32)
    /// The daemon refused, with its own sentence.
    case refused(status: Int, code: String?, message: String)
    /// The answer was not what the protocol says.
    case badAnswer(String)
    /// The connection ended before the answer did.
    case connectionLost
    case timedOut(seconds: Int)
    case cancelled
    /// No daemon could be started.
    case daemonNotFound(looked: [String])
    case daemonFailed(reason: String, log: String)
    /// An older daemon did not end in time.
    case daemonStillBusy(version: String)
    /// The user's own input is at fault.
    case usage(String)
    /// Something else went wrong, in a sentence.
    case failed(String)

    public var description: String {
        switch self {
        case .notRunning(let socket): "no daemon listens on \(socket); start one with: inkling serve"
        case .unreachable(let socket, let reason): "cannot connect to \(socket): \(reason)"
        case .foreignServer(let socket, let user):
            "the server on \(socket) belongs to user \(user), not to you; nothing was sent to it"
        case .refused(_, _, let message): TextSanitizer.line(message)
        case .badAnswer(let finding): "the daemon's answer cannot be read: \(TextSanitizer.line(finding))"
        case .connectionLost:
            "the daemon closed the connection in the middle of its answer; it may have ended"
        case .timedOut(let seconds): "the daemon did not answer within \(seconds) seconds"
        case .cancelled: "interrupted"
        case .daemonNotFound(let looked):
            "inklingd was not found (looked for \(looked.joined(separator: ", "))); install it beside inkling"
        case .daemonFailed(let reason, let log):
            "the daemon could not be started: \(TextSanitizer.line(reason)) (its log is \(log))"
        case .daemonStillBusy(let version):
            "the daemon of version \(version) is still finishing its work; try again in a moment"
        case .usage(let message), .failed(let message): message
        }
    }

    /// The exit code for it, from sysexits.h where that has one.
    public var exitCode: Int32 {
        switch self {
        case .notRunning, .unreachable, .foreignServer, .daemonNotFound, .daemonFailed, .daemonStillBusy: 69
        case .usage: 64
        case .cancelled: 130
        case .failed, .refused, .badAnswer, .connectionLost, .timedOut: 1
        }
    }

    /// A sentence for any error that can come up here.
    public static func sentence(for error: any Error) -> String {
        switch error {
        case let error as ClientError: error.description
        case is CancellationError: ClientError.cancelled.description
        default: TextSanitizer.line(String(describing: error))
        }
    }

    static func system(_ code: Int32) -> String { String(cString: strerror(code)) }
}

extension Result where Failure == ClientError {
    /// What comes of a request: its answer, or the error as a person is told of it.
    init(_ request: () async throws -> Success) async {
        do {
            self = .success(try await request())
        } catch {
            self = .failure(error as? ClientError ?? .failed(ClientError.sentence(for: error)))
        }
    }
}
