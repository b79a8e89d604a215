import HostProcess
import Hummingbird
import Logging
import Settings
import Synchronization

/// The daemon on loopback TCP, once somebody has asked for it: the page, and the routes of the socket.
final class WebListener: Sendable {
    /// Where the page is when nobody says: the same address after a restart lets an open page go on.
    static let usualPort: UInt16 = 4655

    /// One listener with the socket that it takes over.
    private struct Opened: Sendable {
        var listener: HTTPListener
        var socket: LoopbackSocket
    }

    private struct State {
        var responder: RouterResponder<ServerContext>?
        var gate: WebGate?
        /// The one that links name.
        var host = LoopbackAddress.Host.v4
        var listeners: [HTTPListener] = []
        var isStopping = false
    }

    private let limits: ConnectionLimits
    private let requiresKey: Bool
    private let logger: Logger
    private let state = Mutex(State())
    private let opened: AsyncStream<Opened>
    private let opening: AsyncStream<Opened>.Continuation

    init(limits: ConnectionLimits, requiresKey: Bool, logger: Logger) {
        self.limits = limits
        self.requiresKey = requiresKey
        self.logger = logger
        (opened, opening) = AsyncStream.makeStream()
    }

    /// What answers; to be given before anything is opened.
    func use(_ responder: RouterResponder<ServerContext>) {
        state.withLock { $0.responder = responder }
    }

    /// Serves what is opened until `stop()`.
    func run() async throws {
        try await withThrowingTaskGroup { group in
            for await opened in opened {
                group.addTask { try await opened.listener.run(socket: opened.socket.descriptor) }
            }
            try await group.waitForAll()
        }
    }

    /// Takes no new connections, as `HTTPListener.stop()`.
    func stop() {
        // Once is enough; the second time their loops may have ended.
        let listeners = state.withLock { state in
            defer { state.isStopping = true }
            return state.isStopping ? [] : state.listeners
        }
        opening.finish()
        for listener in listeners { listener.stop() }
    }

    /// Listens on an address; returns the guard's rules, with the port and the key.
    ///
    /// - Throws: `DaemonError` with a sentence.
    @discardableResult
    func open(_ address: LoopbackAddress) throws -> WebGuard {
        try state.withLock { state in
            let sockets = try Self.bind(address)
            state.host = address.hosts[0]
            return listen(on: sockets, &state).rules
        }
    }

    /// A link to the page that is good for once; without an address of its own the daemon takes one now.
    ///
    /// - Throws: `Failure` when there is none to be had.
    func link() throws -> String {
        try state.withLock { state in
            guard !state.isStopping else {
                throw Failure(
                    .serviceUnavailable, code: "shutting_down", "The daemon is shutting down.", retryAfter: 1)
            }
            let gate = try state.gate ?? listen(on: Self.bindUsual(), &state)
            return "http://\(state.host.rawValue):\(gate.rules.port)\(WebGuard.entryPath)\(gate.links.make())"
        }
    }

    private func listen(on sockets: [LoopbackSocket], _ state: inout State) -> WebGate {
        guard let responder = state.responder else { preconditionFailure("use(_:) comes before open(_:)") }
        let rules = WebGuard(
            port: sockets[0].port, token: Secret.make(), pageKey: Secret.make(),
            key: requiresKey ? Secret.make() : nil)
        let gate = WebGate(rules: rules, links: EntryLinks())
        state.gate = gate
        for socket in sockets {
            let listener = HTTPListener(
                responder: responder, limits: limits, gate: gate, logger: logger, admits: { _ in true })
            state.listeners.append(listener)
            opening.yield(Opened(listener: listener, socket: socket))
        }
        logger.info("Listening on http://localhost:\(rules.port), for this machine only.")
        return gate
    }

    // MARK: - Sockets

    private static func bindUsual() throws -> [LoopbackSocket] {
        do {
            return try bind(LoopbackAddress(port: usualPort))
        } catch {
            return try bind(LoopbackAddress(port: 0))
        }
    }

    /// Binds all of an address, or nothing; where both hosts are asked for, IPv6 may be missing.
    private static func bind(_ address: LoopbackAddress) throws(DaemonError) -> [LoopbackSocket] {
        // A free port of the one family can be taken in the other.
        for _ in 0..<(address.port == 0 ? 8 : 1) {
            var sockets: [LoopbackSocket] = []
            do throws(LoopbackSocket.Failure) {
                for host in address.hosts {
                    let family: LoopbackSocket.Family = host == .v4 ? .v4 : .v6
                    do throws(LoopbackSocket.Failure) {
                        let port = sockets.first?.port ?? address.port
                        sockets.append(try LoopbackSocket.bind(family, port: port))
                    } catch  where error == .noSuchAddress && !sockets.isEmpty {
                        continue
                    }
                }
                return sockets
            } catch {
                for socket in sockets { socket.close() }
                guard error == .inUse, address.port == 0 else { throw refusal(error, of: address) }
            }
        }
        throw refusal(.inUse, of: address)
    }

    private static func refusal(_ error: LoopbackSocket.Failure, of address: LoopbackAddress) -> DaemonError {
        let reason =
            switch error {
            case .inUse: "another program listens there"
            case .noSuchAddress: "this machine has no such address"
            case .other(let text): text
            }
        return DaemonError(.cannotCreate, "Cannot listen on \(address): \(reason).")
    }
}
