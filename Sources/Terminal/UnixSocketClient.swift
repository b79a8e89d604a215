public import FoundationEssentials
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// HTTP/1.1 over the daemon's Unix socket: one connection a request, which is cheap here and lets cancelling be
/// closing.
///
/// Before a byte is sent, the kernel is asked which user serves the socket; another user's is refused.
public struct UnixSocketClient: Sendable {
    /// One request; `body` is JSON.
    public struct Request: Sendable {
        public var method: String
        /// Path and query, percent-encoded.
        public var target: String
        public var body: Data?
        /// The last event that was had of a stream, which then goes on behind it.
        public var lastEventID: String?

        public init(_ method: String, _ target: String, body: Data? = nil, lastEventID: String? = nil) {
            self.method = method
            self.target = target
            self.body = body
            self.lastEventID = lastEventID
        }
    }

    typealias Connection = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>
    typealias Inbound = NIOAsyncChannelInboundStream<HTTPClientResponsePart>

    /// Longest body of an answer that is read as a whole.
    static let bodyLimit = 256 << 20

    public let socket: String
    /// How long an answer may take that is no stream.
    public let patience: Duration
    /// The user whose server is trusted.
    private let user: UInt32

    public init(socket: String, patience: Duration = .seconds(30)) {
        self.init(socket: socket, patience: patience, user: geteuid())
    }

    init(socket: String, patience: Duration, user: UInt32) {
        self.socket = socket
        self.patience = patience
        self.user = user
    }

    /// Sends a request and reads the whole answer.
    ///
    /// - Throws: `ClientError`, also for a status of 300 or more.
    public func send(_ request: Request) async throws -> Data {
        try await translated {
            try await withDeadline(patience) {
                try await exchange(request) { head, inbound in
                    let body = try await Self.readBody(&inbound)
                    try Self.check(head, body)
                    return body
                }
            }
        }
    }

    /// Sends a request and hands each event of the answer to `receive`, until the stream ends.
    ///
    /// Cancelling the task closes the connection, which tells the daemon to stop. An event of more than
    /// `eventLimit` bytes is an error.
    public func stream(
        _ request: Request, eventLimit: Int = ServerSentEventParser.limit,
        _ receive: @Sendable (ServerSentEvent) async throws -> Void
    ) async throws {
        try await translated {
            try await exchange(request) { head, inbound in
                guard head.status.code < 300 else {
                    try Self.check(head, await Self.readBody(&inbound))
                    return
                }
                var parser = ServerSentEventParser(limit: eventLimit)
                while let part = try await inbound.next() {
                    guard case .body(let buffer) = part else { continue }
                    for event in try parser.parse(buffer.readableBytesView) { try await receive(event) }
                }
            }
        }
    }

    /// The kernel's `struct ucred`, which Glibc's module does not show.
    private struct PeerCredentials: Sendable {
        var process: Int32
        var user: UInt32
        var group: UInt32
    }

    // MARK: - One exchange

    private func exchange<Result: Sendable>(
        _ request: Request,
        _ read: @Sendable (HTTPResponseHead, inout Inbound.AsyncIterator) async throws -> Result
    ) async throws -> Result {
        let connection = try await connect()
        return try await connection.executeThenClose { inbound, outbound in
            try await checkServer(connection.channel)
            // A server may refuse a long body before it has all of it: its answer counts, not the failed write.
            let failure = await Self.write(request, to: outbound)
            var parts = inbound.makeAsyncIterator()
            guard case .head(let head)? = try await parts.next() else {
                throw failure ?? ClientError.connectionLost
            }
            return try await read(head, &parts)
        }
    }

    private static func write(
        _ request: Request, to outbound: NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>
    ) async -> (any Error)? {
        var parts: [HTTPClientRequestPart] = [.head(head(of: request))]
        if let body = request.body { parts.append(.body(.byteBuffer(ByteBuffer(bytes: body)))) }
        parts.append(.end(nil))
        do {
            try await outbound.write(contentsOf: parts)
            return nil
        } catch {
            return error
        }
    }

    private func connect() async throws -> Connection {
        // Sockets of the local machine connect at once or not at all.
        try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(.seconds(5))
            .connect(unixDomainSocketPath: socket) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
    }

    private func checkServer(_ channel: any Channel) async throws {
        guard let provider = channel as? any SocketOptionProvider else { return }
        let peer: PeerCredentials = try await provider.unsafeGetSocketOption(
            level: SocketOptionLevel(SOL_SOCKET), name: SocketOptionName(SO_PEERCRED)
        ).get()
        guard peer.user == user else { throw ClientError.foreignServer(socket: socket, user: peer.user) }
    }

    private static func head(of request: Request) -> HTTPRequestHead {
        var headers = HTTPHeaders([("host", "localhost"), ("connection", "close")])
        if let body = request.body {
            headers.add(name: "content-type", value: "application/json")
            headers.add(name: "content-length", value: "\(body.count)")
        } else if request.method != "GET" {
            headers.add(name: "content-length", value: "0")
        }
        if let id = request.lastEventID { headers.add(name: "last-event-id", value: id) }
        return HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: request.method), uri: request.target,
            headers: headers)
    }

    private static func readBody(_ inbound: inout Inbound.AsyncIterator) async throws -> Data {
        var body = Data()
        while let part = try await inbound.next() {
            switch part {
            case .head: break
            case .body(let buffer):
                body.append(contentsOf: buffer.readableBytesView)
                if body.count > bodyLimit { throw ClientError.badAnswer("more than \(bodyLimit) bytes") }
            case .end: return body
            }
        }
        throw ClientError.connectionLost
    }

    /// The error shape that every route shares.
    private struct ErrorBody: Decodable {
        struct Detail: Decodable {
            var message: String
            var code: String?
        }

        var error: Detail
    }

    private static func check(_ head: HTTPResponseHead, _ body: Data) throws {
        guard head.status.code >= 300 else { return }
        let detail = try? JSONDecoder().decode(ErrorBody.self, from: body).error
        throw ClientError.refused(
            status: Int(head.status.code), code: detail?.code,
            message: detail?.message ?? "the daemon answered \(head.status.code) \(head.status.reasonPhrase)")
    }

    // MARK: - Errors and time

    /// Runs `body` with its errors as `ClientError`s.
    private func translated<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as ClientError {
            throw error
        } catch {
            if Task.isCancelled || error is CancellationError { throw ClientError.cancelled }
            throw translate(error)
        }
    }

    private func translate(_ error: any Error) -> ClientError {
        switch error {
        case let error as IOError: return translate(code: error.errnoCode)
        case let error as NIOConnectionError:
            let codes = error.connectionErrors.compactMap { ($0.error as? IOError)?.errnoCode }
            return translate(code: codes.first ?? ECONNREFUSED)
        case HTTPParserError.invalidEOFState: return .connectionLost
        case let error as HTTPParserError: return .badAnswer("no HTTP (\(error))")
        case SocketAddressError.unixDomainSocketPathTooLong:
            return .unreachable(socket: socket, reason: "the path is too long for a socket (107 bytes)")
        case ChannelError.ioOnClosedChannel, ChannelError.alreadyClosed: return .connectionLost
        case let error as ChannelError: return .unreachable(socket: socket, reason: "\(error)")
        default: return .badAnswer(String(describing: error))
        }
    }

    private func translate(code: Int32) -> ClientError {
        switch code {
        case ENOENT, ECONNREFUSED: .notRunning(socket: socket)
        case ECONNRESET, EPIPE: .connectionLost
        default: .unreachable(socket: socket, reason: ClientError.system(code))
        }
    }

    private func withDeadline<Result: Sendable>(
        _ limit: Duration, _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let result = first else {
                throw ClientError.timedOut(seconds: Int(limit.components.seconds))
            }
            return result
        }
    }
}
