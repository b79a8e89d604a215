import Assistant
import Glibc
import History
import HostProcess
public import Logging
import ModelHub
public import Settings

extension Daemon {
    /// What a person chose for this run only.
    public struct LaunchOptions: Sendable {
        /// Keeps every conversation in memory.
        public var isPrivate = false
        /// Sets a damaged history aside and begins an empty one.
        public var startsFresh = false

        public init() {}
    }

    /// Starts the daemon in this process and returns when it has ended in good order.
    ///
    /// The lock is taken before anything else is touched, so that a second daemon disturbs nothing.
    ///
    /// - Throws: `DaemonError` with the status to exit with.
    public static func launch(
        configuration: Configuration, paths: Paths, environment: [String: String],
        options: LaunchOptions = .init(), logger: Logger
    ) async throws {
        ProcessSetup.apply()
        let inherited = try DaemonSocket.inherited(environment)
        do {
            try paths.prepare()
        } catch {
            throw DaemonError(.configuration, "\(error)")
        }
        let path = inherited?.path ?? paths.socket
        if inherited == nil { try SocketDirectory.verify(directory(of: path)) }
        let lock = try InstanceLock(path: path + ".lock")
        let signals = EndSignals()
        let socket = try inherited ?? DaemonSocket.bind(path)
        defer { withExtendedLifetime((lock, signals)) { socket.remove() } }

        let history = try openHistory(configuration, paths: paths, options: options, logger: logger)
        let daemon = try Daemon(
            assistant: Assistant(
                configuration: configuration, paths: paths, hub: HubAccess(environment: environment),
                history: history, logger: logger),
            configuration: configuration, limits: connectionLimits(), allowedUser: geteuid(),
            page: .first(of: paths.shippedPage), logger: logger)
        if let address = configuration.server.listen {
            announce(try daemon.listen(on: address), of: address)
        }
        try await daemon.run(
            on: socket, until: signals, notifier: ServiceNotifier(environment), logger: logger)
        try await history.close()
        logger.info("Ended.")
    }

    private func run(
        on socket: DaemonSocket, until signals: EndSignals, notifier: ServiceNotifier, logger: Logger
    ) async throws {
        let watching = Task {
            for await number in signals.received {
                logger.notice("Ending on \(number == SIGINT ? "SIGINT" : "SIGTERM").")
                stop()
            }
        }
        defer { watching.cancel() }
        try await run(
            on: socket,
            whenReady: {
                logger.info("Listening on \(socket.path) (process \(getpid())).")
                notifier.send(.ready)
            },
            whenStopping: { notifier.send(.stopping) })
    }

    /// Prints where other programs find the daemon, and what they must show.
    private static func announce(_ rules: WebGuard, of address: LoopbackAddress) {
        let host = address.hosts.count == 1 ? address.hosts[0].rawValue : "localhost"
        var text = "http://\(host):\(rules.port)\n"
        if let key = rules.key { text += "Authorization: Bearer \(key)\n" }
        _ = write(STDOUT_FILENO, text, text.utf8.count)
    }

    private static func openHistory(
        _ configuration: Configuration, paths: Paths, options: LaunchOptions, logger: Logger
    ) throws -> HistoryStore {
        let undoSeconds = configuration.history.undoSeconds
        guard configuration.history.enabled, !options.isPrivate else {
            return try HistoryStore.open(path: nil, undoSeconds: undoSeconds)
        }
        do throws(HistoryError) {
            let history = try HistoryStore.open(
                path: paths.history, undoSeconds: undoSeconds, startFresh: options.startsFresh)
            logger.info("The history is \(paths.history), by SQLite \(history.libraryVersion).")
            if let warning = history.warning { logger.warning("\(warning)") }
            return history
        } catch {
            throw DaemonError(status(of: error), "\(error)")
        }
    }

    private static func status(of error: HistoryError) -> ExitStatus {
        switch error {
        case .inUse: .cannotCreate
        case .unsafeDirectory: .configuration
        case .cannotOpen: .unavailable
        default: .badData
        }
    }

    private static func connectionLimits() -> ConnectionLimits {
        var limits = ConnectionLimits()
        limits.connections = ProcessSetup.connectionLimit(wanted: limits.connections)
        return limits
    }

    private static func directory(of path: String) -> String {
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return parent.isEmpty ? "/" : parent
    }
}
