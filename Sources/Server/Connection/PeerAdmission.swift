import Glibc
import Logging
import NIOCore
import Synchronization

/// Decides which peers may speak to the daemon: processes of one user.
final class PeerAdmission: Sendable {
    private let allowedUser: uid_t
    private let logger: Logger
    private let lastRefusal = Mutex<NIODeadline?>(nil)

    init(allowedUser: uid_t, logger: Logger) {
        self.allowedUser = allowedUser
        self.logger = logger
    }

    /// Whether this peer may be read from; refusals are logged, once a second at most.
    func admits(_ peer: PeerCredentials?) -> Bool {
        guard peer?.uid != allowedUser else { return true }
        let now = NIODeadline.now()
        let isDue = lastRefusal.withLock { last in
            guard last.map({ now - $0 >= .seconds(1) }) ?? true else { return false }
            last = now
            return true
        }
        if isDue {
            let uid = peer.map { String($0.uid) } ?? "unknown"
            logger.warning("Refused a connection from another user (uid \(uid)).")
        }
        return false
    }
}

/// Keeps an error of one `accept` (no descriptors left, a peer gone) from ending the listening socket.
final class AcceptErrorHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel

    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
