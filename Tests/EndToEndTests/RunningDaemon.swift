import Foundation
import Terminal

/// A real `inklingd` with folders of its own, ended by its process id.
final class RunningDaemon {
    /// The programs of this build lie beside the test program.
    static let programs: URL = {
        if let folder = ProcessInfo.processInfo.environment["INKLING_BIN"] { return URL(filePath: folder) }
        return URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    }()

    /// The default chat model, where the set-up script put it; tests that need it are skipped without it.
    static let model: String? = {
        let environment = ProcessInfo.processInfo.environment
        let home = environment["XDG_DATA_HOME"] ?? (environment["HOME"] ?? "") + "/.local/share"
        let path =
            environment["INKLING_TEST_MODEL"] ?? home + "/inkling/models/SmolLM2-135M-Instruct.Q4_1.gguf"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    let home: URL
    private(set) var process = Process()

    init() throws {
        // A Unix socket's path may have 107 bytes: keep the folder's name short.
        home = FileManager.default.temporaryDirectory.appending(path: "ink-" + UUID().uuidString.prefix(8))
        try FileManager.default.createDirectory(
            at: home.appending(path: "run"), withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        try start()
    }

    deinit {
        end(signal: SIGKILL)
        try? FileManager.default.removeItem(at: home)
    }

    var socket: String { home.path + "/run/inkling/inkling.sock" }
    var client: DaemonClient { DaemonClient(socket: socket) }

    var environment: [String: String] {
        var environment = ProcessInfo.processInfo.environment
        for (name, folder) in [
            ("XDG_RUNTIME_DIR", "run"), ("XDG_DATA_HOME", "data"), ("XDG_STATE_HOME", "state"),
            ("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache"), ("HOME", ""),
        ] {
            environment[name] = home.appending(path: folder).path
        }
        environment["INKLING_CHAT_MODEL"] = Self.model
        environment["SWIFT_BACKTRACE"] = "enable=no"
        return environment
    }

    func start() throws {
        process = try launch("inklingd", [])
    }

    /// Starts one of the package's programs in this daemon's folders.
    func launch(_ program: String, _ arguments: [String], output: Pipe? = nil) throws -> Process {
        let process = Process()
        process.executableURL = Self.programs.appending(path: program)
        process.arguments = arguments
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output ?? FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// Runs one of the programs to its end; its exit status and what it printed.
    func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: Data) {
        let output = Pipe()
        let process = try launch(program, arguments, output: output)
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, data)
    }

    func end(signal: Int32) {
        guard process.isRunning else { return }
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
    }

    /// Connects until the daemon answers, or gives up when it has ended.
    func ready() async throws {
        while true {
            do {
                _ = try await client.health()
                return
            } catch {
                guard process.isRunning else { throw error }
                await Task.yield()
            }
        }
    }
}
