import AsyncHTTPClient
import FoundationEssentials
import Glibc
import NIOCore
import NIOHTTP1
import Synchronization

/// Requests to a hub and to where it sends us, with redirects followed by hand: the token goes to the hub alone.
final class HubTransport: Sendable {
    /// How long connections and answers may take.
    struct Patience: Sendable {
        var connect = Duration.seconds(15)
        /// Between two pieces of an answer.
        var read = Duration.seconds(30)
    }

    /// An answer whose body has not been read yet.
    struct Answer {
        var status: Int
        var headers: HTTPHeaders
        var body: HTTPClientResponse.Body
        /// Of the hub's own answer before it sent us elsewhere, if it did.
        var hubHeaders: HTTPHeaders
    }

    let access: HubAccess
    private let patience: Patience
    private let origin: Origin
    private let clients = Mutex<[Proxies.Server?: HTTPClient]>([:])

    /// A scheme, host and port.
    private struct Origin: Equatable {
        var isSecure: Bool
        var host: String
        var port: Int

        init?(_ url: URL) {
            guard let scheme = url.scheme?.lowercased(), scheme == "https" || scheme == "http",
                let host = url.host, !host.isEmpty
            else { return nil }
            isSecure = scheme == "https"
            self.host = host.lowercased()
            port = url.port ?? (isSecure ? 443 : 80)
        }
    }

    private static let redirectLimit = 8

    private init(_ access: HubAccess, _ patience: Patience) throws(HubError) {
        guard let url = URL(string: access.endpoint), let origin = Origin(url) else {
            throw .unreachable(hub: access.endpoint, reason: "it is no address that begins with https://")
        }
        self.access = access
        self.origin = origin
        self.patience = patience
    }

    /// Runs `body` with connections that are closed when it ends.
    static func with<Value: Sendable>(
        _ access: HubAccess, patience: Patience = Patience(),
        _ body: (HubTransport) async throws -> Value
    ) async throws -> Value {
        let transport = try HubTransport(access, patience)
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(transport))
        } catch {
            result = .failure(error)
        }
        for client in transport.clients.withLock({ Array($0.values) }) { try? await client.shutdown() }
        return try result.get()
    }

    /// Asks for something of the hub, and follows where it leads.
    ///
    /// - Parameters:
    ///   - address: Whole, on the hub.
    ///   - range: Of bytes, where not all are wanted.
    /// - Returns: An answer that is no redirect; its status is the caller's to judge.
    /// - Throws: `HubError`, or `CancellationError`.
    func get(_ address: String, range: Range<Int>? = nil) async throws -> Answer {
        var url = URL(string: address)
        var hubHeaders: HTTPHeaders?
        for _ in 0...Self.redirectLimit {
            guard let current = url, let place = Origin(current) else {
                throw badAnswer("it leads to an address that is none")
            }
            guard place.isSecure || !origin.isSecure else {
                throw badAnswer("it leads to \(place.host) without encryption")
            }
            let response = try await send(current, place, range)
            if hubHeaders == nil { hubHeaders = response.headers }
            guard [301, 302, 303, 307, 308].contains(response.status.code) else {
                return Answer(
                    status: Int(response.status.code), headers: response.headers, body: response.body,
                    hubHeaders: hubHeaders ?? [:])
            }
            url = response.headers.first(name: "location").flatMap {
                URL(string: $0, relativeTo: current)?.absoluteURL
            }
        }
        throw badAnswer("it leads from one address to the next without an end")
    }

    private func send(_ url: URL, _ place: Origin, _ range: Range<Int>?) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: url.absoluteString)
        request.headers.add(name: "user-agent", value: "inkling")
        request.headers.add(name: "accept-encoding", value: "identity")
        if let token = access.token, place == origin {
            request.headers.add(name: "authorization", value: "Bearer \(token)")
        }
        if let range {
            request.headers.add(name: "range", value: "bytes=\(range.lowerBound)-\(range.upperBound - 1)")
        }
        let server = access.proxies.server(for: place.host, port: place.port, isSecure: place.isSecure)
        do {
            return try await client(server).execute(request, deadline: .distantFuture)
        } catch {
            throw failure(error, at: place.host)
        }
    }

    private func client(_ server: Proxies.Server?) -> HTTPClient {
        clients.withLock { clients in
            if let client = clients[server] { return client }
            var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
            configuration.timeout = .init(connect: patience.connect.nio, read: patience.read.nio)
            // Parallel ranges are to have connections of their own.
            configuration.httpVersion = .http1Only
            // What is tried again, and how the user is told, is Retrying's: not a second time within each attempt.
            configuration.connectionPool.retryConnectionEstablishment = false
            if let server {
                let authorization = server.user.map {
                    HTTPClient.Authorization.basic(username: $0, password: server.password ?? "")
                }
                configuration.proxy = .server(
                    host: server.host, port: server.port, authorization: authorization)
            }
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            clients[server] = client
            return client
        }
    }

    // MARK: - Whole answers

    /// The longest answer of the API that is read.
    private static let bodyLimit = 16 << 20

    /// The whole body of an answer.
    func bytes(_ answer: Answer) async throws -> [UInt8] {
        do {
            var bytes: [UInt8] = []
            for try await part in answer.body {
                bytes.append(contentsOf: part.readableBytesView)
                guard bytes.count <= Self.bodyLimit else { throw badAnswer("it is longer than 16 MiB") }
            }
            return bytes
        } catch {
            throw failure(error)
        }
    }

    func badAnswer(_ what: String) -> HubError { .badAnswer(hub: access.hub, what: what) }

    /// What becomes of an error of a connection.
    func failure(_ error: any Error, at host: String? = nil) -> any Error {
        if error is HubError || error is CancellationError { return error }
        if Task.isCancelled { return CancellationError() }
        let reason: String
        switch error as? HTTPClientError {
        case .connectTimeout?: reason = "no connection came about"
        case .readTimeout?, .deadlineExceeded?: reason = "nothing came any more"
        case .remoteConnectionClosed?, .bodyLengthMismatch?, .uncleanShutdown?:
            reason = "the connection broke"
        case .proxyAuthenticationRequired?: reason = "the proxy wants a name and a password"
        case .invalidProxyResponse?, .httpProxyHandshakeTimeout?: reason = "the proxy does not pass it on"
        case let error?: reason = "\(error)"
        case nil where Self.isBreak(error): reason = "the connection broke"
        case nil: reason = "\(error)".prefix { !$0.isNewline }.prefix(300).description
        }
        let place = host.map { access.hub.contains($0) ? access.hub : $0 } ?? access.hub
        return HubError.unreachable(hub: place, reason: reason)
    }

    /// Whether a connection ended where more was to come, as the layers below tell it: within an answer's head, too.
    private static func isBreak(_ error: any Error) -> Bool {
        switch error {
        case HTTPParserError.invalidEOFState, HTTPParserError.closedConnection, ChannelError.eof,
            ChannelError.ioOnClosedChannel, ChannelError.alreadyClosed:
            true
        case let error as IOError: [ECONNRESET, EPIPE].contains(error.errnoCode)
        default: false
        }
    }
}

extension Duration {
    fileprivate var nio: TimeAmount {
        .nanoseconds(components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000)
    }
}
