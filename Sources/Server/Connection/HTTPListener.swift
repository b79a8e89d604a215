import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes
import NIOPosix
import Synchronization

/// Accepts connections on a bound socket and lets Hummingbird's router answer their requests.
///
/// Hummingbird's own server binds by path only; this one takes a socket that is already bound, so that
/// nothing stands between the lock and the bind, and systemd's sockets work too.
final class HTTPListener: Sendable {
    /// What is read of a connection before it is the next one's turn: a dozen small requests, so that whoever sends thousands
    /// holds nobody up.
    private static let bytesPerTurn = 4096

    private let http: HTTP1Channel
    private let limits: ConnectionLimits
    private let admits: @Sendable (PeerCredentials?) -> Bool
    private let logger: Logger
    private let group: MultiThreadedEventLoopGroup
    private let state = Mutex(State())

    private struct State {
        var server: (any Channel)?
        var connections: [ObjectIdentifier: any Channel] = [:]
        var isStopping = false
    }

    /// Serves the peers that `admits` takes; what a `gate` refuses comes to no route.
    init(
        responder: RouterResponder<ServerContext>, limits: ConnectionLimits, gate: WebGate? = nil,
        logger: Logger, admits: @escaping @Sendable (PeerCredentials?) -> Bool
    ) {
        self.limits = limits
        self.logger = logger
        self.admits = admits
        http = HTTP1Channel(
            responder: { request, writer, channel in
                try await Self.respond(
                    to: request, writer, channel: channel, by: responder, gate: gate, logger: logger)
            },
            configuration: .init(
                additionalChannelHandlers: [RequestObserver()],
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: limits.headerBytes / 2, maxHeaderListSize: limits.headerBytes,
                    maxHeaderFieldCount: limits.headerFields)))
        // One loop moves the bytes of a local socket with ease; requests are answered elsewhere.
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    }

    /// Serves until `stop()` was called and the last connection has ended, or until the task is cancelled.
    ///
    /// - Parameters:
    ///   - socket: A bound stream socket, which this takes over.
    ///   - whenReady: Called once connections are accepted.
    /// - Throws: When the socket cannot be listened on.
    func run(socket: CInt, whenReady: @Sendable () -> Void = {}) async throws {
        let server = try await ServerBootstrap(group: group)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.bytesPerTurn)
            )
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .serverChannelInitializer { [limits] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        AcceptBackoffHandler(backoffProvider: { _ in .milliseconds(100) }),
                        AvailableConnectionsChannelHandler(maxConnections: limits.connections),
                        AcceptErrorHandler())
                }
            }
            .bind(socket) { [self] channel in open(channel) }
        let stopsAtOnce = state.withLock { state in
            state.server = server.channel
            return state.isStopping
        }
        if stopsAtOnce { server.channel.close(promise: nil) }
        whenReady()
        await serve(server)
        try await group.shutdownGracefully()
    }

    private func serve(_ server: NIOAsyncChannel<OpenConnection?, Never>) async {
        await withDiscardingTaskGroup { tasks in
            do {
                try await server.executeThenClose { connections in
                    for try await case .some(let open) in connections {
                        tasks.addTask { await self.handle(open) }
                    }
                }
            } catch {
                logger.error("The listening socket failed: \(error)")
            }
        }
    }

    /// Takes no new connections; idle ones are closed now, busy ones after their response.
    func stop() {
        let channels = state.withLock { state in
            state.isStopping = true
            return [state.server].compactMap(\.self) + Array(state.connections.values)
        }
        for channel in channels {
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
    }

    // MARK: - One connection

    private struct OpenConnection: Sendable {
        let connection: Connection
        let channel: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
    }

    private func open(_ channel: any Channel) -> EventLoopFuture<OpenConnection?> {
        let connection = Connection()
        remember(channel)
        return channel.eventLoop.makeCompletedFuture { [limits, admits] in
            try channel.pipeline.syncOperations.addHandler(
                ConnectionGuard(connection: connection, limits: limits, admits: admits))
        }
        .flatMap { [http, logger] in http.setup(channel: channel, logger: logger) }
        .map { OpenConnection(connection: connection, channel: $0) }
        // A connection that cannot be set up is closed; the listening socket must not fail with it.
        .flatMapErrorThrowing { _ in
            channel.close(promise: nil)
            return nil
        }
    }

    private func remember(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        state.withLock { $0.connections[id] = channel }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { _ = $0.connections.removeValue(forKey: id) }
        }
    }

    private func handle(_ open: OpenConnection) async {
        await Connection.$current.withValue(open.connection) {
            await http.handle(value: open.channel, logger: logger)
        }
    }

    private static func respond(
        to request: Request, _ writer: consuming ResponseWriter, channel: any Channel,
        by responder: RouterResponder<ServerContext>, gate: WebGate?, logger: Logger
    ) async throws {
        if let refusal = gate?.answer(to: request) {
            try await write(refusal, writer, gate)
            return
        }
        if request.headers[.expect]?.lowercased() == "100-continue" {
            try await writer.writeInformationalHead(.init(status: .continue))
        }
        let context = ServerContext(source: .init(channel: channel, logger: logger))
        let response: Response
        do {
            response = try await responder.respond(to: request, context: context)
        } catch {
            response = Failure(error).response
        }
        try await write(response, writer, gate)
        // Of those that were read together, others' requests come between.
        await Task.yield()
    }

    private static func write(
        _ response: Response, _ writer: consuming ResponseWriter, _ gate: WebGate?
    ) async throws {
        var response = response
        gate?.arm(&response)
        try await writer.write(response: response.head, body: response.body)
    }
}
