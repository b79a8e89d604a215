import Assistant
import AssistantAPI
import HostProcess
import Hummingbird
import Logging
import Settings

/// One running daemon: the assistant behind its HTTP server.
///
/// This is the composition root, of `main` and of tests. For example:
/// `Daemon(assistant: assistant, configuration: settings, allowedUser: uid, logger: logger)`, then
/// `try await daemon.run(on: socket)` in one task and `daemon.stop()` in another.
public final class Daemon: Sendable {
    /// The version of this build.
    public static var version: String { Inkling.version }

    /// What can happen to a daemon as a whole.
    private enum Moment: Sendable {
        case stopRequested, graceOver, patienceOver, ended
    }

    private let assistant: Assistant
    private let listener: HTTPListener
    private let web: WebListener
    private let grace: Duration
    private let logger: Logger
    private let moments: AsyncStream<Moment>
    private let happened: AsyncStream<Moment>.Continuation

    /// Only processes of `allowedUser` may connect; everyone else's connections are closed unread.
    init(
        assistant: Assistant, configuration: Configuration, limits: ConnectionLimits = ConnectionLimits(),
        timing: StreamTiming = StreamTiming(), allowedUser: UInt32, page: PageFiles? = nil, logger: Logger
    ) {
        self.assistant = assistant
        self.logger = logger
        grace = configuration.server.shutdownGrace
        let (moments, happened) = AsyncStream.makeStream(of: Moment.self)
        (self.moments, self.happened) = (moments, happened)
        let web = WebListener(
            limits: limits, requiresKey: configuration.server.requireKey, logger: logger)
        self.web = web
        let routes = Routes(
            assistant: assistant, bodyLimit: configuration.server.maxBodyBytes,
            pictureBodyLimit: configuration.server.maxPictureBodyBytes, timing: timing,
            requestStop: { happened.yield(.stopRequested) }, page: page, openPage: { try web.link() })
        let responder = routes.router().buildResponder()
        web.use(responder)
        let admission = PeerAdmission(allowedUser: allowedUser, logger: logger)
        listener = HTTPListener(
            responder: responder, limits: limits, logger: logger, admits: { admission.admits($0) })
    }

    /// Listens on loopback TCP too, from `run` on.
    ///
    /// - Throws: `DaemonError` when the address is not to be had.
    func listen(on address: LoopbackAddress) throws -> WebGuard { try web.open(address) }

    /// Asks the daemon to end: no new connections, and what runs may finish within the grace period.
    public func stop() { happened.yield(.stopRequested) }

    /// Serves until `stop()`; returns when the last answer has ended, or was cancelled and kept.
    ///
    /// - Parameters:
    ///   - socket: a listening socket; its name stays in the file system, for its owner to remove.
    ///   - whenReady: called once connections are accepted.
    ///   - whenStopping: called once the daemon was asked to end.
    /// - Throws: when the socket cannot be listened on.
    func run(
        on socket: DaemonSocket, whenReady: @escaping @Sendable () -> Void = {},
        whenStopping: @escaping @Sendable () -> Void = {}
    ) async throws {
        let serving = Task { [listener, web, happened] in
            defer { happened.yield(.ended) }
            try await withThrowingTaskGroup { group in
                group.addTask { try await web.run() }
                // Where the socket fails, the page alone is no daemon.
                defer { web.stop() }
                try await listener.run(socket: socket.descriptor, whenReady: whenReady)
            }
        }
        var isStopping = false
        waiting: for await moment in moments {
            switch moment {
            case .stopRequested:
                guard !isStopping else { continue }
                isStopping = true
                whenStopping()
                listener.stop()
                web.stop()
                // A page that is open would otherwise hold up the end for the whole grace period.
                assistant.closeCanvases()
                tell(.graceOver, after: grace)
            case .graceOver:
                logger.notice("Cancelling the answers that still run after \(grace).")
                await assistant.shutDown(within: .zero)
                tell(.patienceOver, after: .seconds(1))
            case .patienceOver: serving.cancel()
            case .ended: break waiting
            }
        }
        await assistant.shutDown(within: .zero)
        try await serving.value
    }

    private func tell(_ moment: Moment, after delay: Duration) {
        Task { [happened] in
            try await Task.sleep(for: delay)
            happened.yield(moment)
        }
    }
}
