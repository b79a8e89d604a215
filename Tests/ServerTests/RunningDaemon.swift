import AssistantAPI
import FoundationEssentials
import Glibc
import History
import HostProcess
import Logging
import ModelHub
import Settings

@testable import Assistant
@testable import Server

/// A daemon with a tiny model, on a socket in a folder of its own.
final class RunningDaemon: Sendable {
    let folder: String
    let socketPath: String
    private let daemon: Daemon
    private let serving: Task<Void, any Error>

    private init(
        contextLength: Int, limits: ConnectionLimits, timing: StreamTiming, allowedUser: UInt32,
        painter: ScriptedPainter?, page: PageFiles?, hub: HubAccess, configure: (inout Configuration) -> Void
    ) async throws {
        var template = Array("/tmp/ink-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw ClientError.system("mkdtemp") }
        let folder = String(cString: made)
        self.folder = folder
        try TinyModel.write(to: folder + "/data/inkling/models", name: "tiny", contextLength: contextLength)
        if painter != nil { try ScriptedPainter.makeModel("paint", in: folder + "/data/inkling/models") }
        var configuration = Configuration()
        configuration.chat.model = "tiny"
        configuration.engine.threads = 1
        configuration.chat.cacheMemory = 256 << 20
        configuration.server.shutdownGrace = .seconds(2)
        configure(&configuration)
        let paths = try Paths(environment: [
            "HOME": folder, "XDG_DATA_HOME": folder + "/data", "XDG_RUNTIME_DIR": folder,
        ])
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let history = try HistoryStore.open(path: folder + "/history.db")
        let daemon = try Daemon(
            assistant: Assistant(
                configuration: configuration, paths: paths, hub: hub, history: history,
                painters: painter?.source ?? .files, logger: logger),
            configuration: configuration, limits: limits,
            timing: timing,
            allowedUser: allowedUser, page: page, logger: logger)
        self.daemon = daemon
        let socket = try DaemonSocket.bind(folder + "/s")
        socketPath = socket.path
        let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
        serving = Task {
            defer { isReady.finish() }
            try await daemon.run(on: socket, whenReady: { isReady.finish() })
        }
        for await _ in ready {}
    }

    static let shortContext = 512
    /// A context that no answer fills while a test waits.
    static let endlessContext = 100_000

    /// Runs `body` against a daemon, which has ended when this returns.
    static func run<Value>(
        contextLength: Int = shortContext, limits: ConnectionLimits = .init(), timing: StreamTiming = .init(),
        allowedUser: UInt32 = geteuid(), painter: ScriptedPainter? = nil,
        page: PageFiles? = nil, hub: HubAccess = HubAccess(),
        configure: (inout Configuration) -> Void = { _ in },
        _ body: (RunningDaemon) async throws -> Value
    ) async throws -> Value {
        let daemon = try await RunningDaemon(
            contextLength: contextLength, limits: limits, timing: timing, allowedUser: allowedUser,
            painter: painter, page: page, hub: hub, configure: configure)
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(daemon))
        } catch {
            result = .failure(error)
        }
        daemon.daemon.stop()
        try await daemon.ended()
        try? FileManager.default.removeItem(atPath: daemon.folder)
        return try result.get()
    }

    /// Returns once the daemon has ended by itself or on request.
    func ended() async throws { try await serving.value }

    func connect() throws -> TestConnection { try TestConnection(path: socketPath) }

    /// One request on a connection of its own.
    func request(
        _ method: String, _ path: String, body: String? = nil, headers: [String: String] = [:]
    ) async throws -> TestResponse {
        let connection = try connect()
        return try await connection.request(method, path, body: body, headers: headers)
    }

    func get(_ path: String) async throws -> TestResponse { try await request("GET", path) }

    func post(_ path: String, _ body: String) async throws -> TestResponse {
        try await request("POST", path, body: body)
    }

    /// Posts and reads back the JSON of a successful answer.
    func json(_ path: String, _ body: String) async throws -> JSON {
        let response = try await post(path, body)
        guard response.status == 200 else { throw ClientError.status(response.status, response.text) }
        return try response.json()
    }
}

/// A bias that keeps the tiny model from ending its answer by itself, as JSON.
let endless = #"{"256":-100,"257":-100,"258":-100}"#
