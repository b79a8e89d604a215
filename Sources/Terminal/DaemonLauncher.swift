public import AssistantAPI
import Glibc

/// Finds the daemon, starts one when none runs, and sees to it that it is of this version.
public struct DaemonLauncher: Sendable {
    public let client: DaemonClient
    /// Where a daemon that is started here writes its log.
    public let log: String
    private let environment: [String: String]
    private let version: String
    private let executables: [String]
    private let startLimit: Duration
    private let endLimit: Duration

    /// A launcher that looks for the daemon in `executables`, by default beside this program and in `PATH`.
    ///
    /// `startLimit` is how long a daemon may take until it answers, `endLimit` how long an older one may take to
    /// finish its work.
    public init(
        client: DaemonClient, log: String, environment: [String: String], version: String = Inkling.version,
        executables: [String]? = nil, startLimit: Duration = .seconds(20), endLimit: Duration = .seconds(60)
    ) {
        self.client = client
        self.log = log
        self.environment = environment
        self.version = version
        self.executables = executables ?? Self.places(environment)
        self.startLimit = startLimit
        self.endLimit = endLimit
    }

    /// Returns once a daemon of this version (or a newer one) answers.
    ///
    /// - Parameter say: is given a sentence where the user should know what happens.
    /// - Throws: `ClientError`.
    public func ensureRunning(say: @Sendable (String) -> Void) async throws {
        guard let health = try await findRunning() else {
            try await start()
            return
        }
        switch Self.compare(health.version, version) {
        case 0: break
        case 1...:
            say(
                "The daemon is of version \(TextSanitizer.line(health.version)), newer than this inkling "
                    + "(\(version)); update inkling if something is amiss.")
        default:
            say(
                "The daemon is of the older version \(TextSanitizer.line(health.version)); "
                    + "it finishes its work and is restarted.")
            try await endOlder(health)
            try await start()
        }
    }

    /// The executable of the daemon.
    ///
    /// - Throws: `ClientError.daemonNotFound` with the places that were tried.
    public func executable() throws(ClientError) -> String {
        guard let found = executables.first(where: { access($0, X_OK) == 0 }) else {
            throw .daemonNotFound(looked: executables)
        }
        return found
    }

    /// Becomes the daemon, in the foreground.
    ///
    /// - Throws: `ClientError`; otherwise it does not return.
    public func replaceThisProcess(with arguments: [String]) throws(ClientError) {
        let executable = try self.executable()
        signal(SIGPIPE, SIG_DFL)
        let variables = Self.childEnvironment(environment).map { "\($0.key)=\($0.value)" }.sorted()
        withCStrings([executable] + arguments) { argv in
            _ = withCStrings(variables) { envp in execve(executable, argv, envp) }
        }
        throw .daemonFailed(reason: "\(executable): \(ClientError.system(errno))", log: log)
    }

    // MARK: - Starting and ending

    private func findRunning() async throws -> Health? {
        do {
            return try await client.health()
        } catch ClientError.notRunning {
            return nil
        } catch ClientError.refused(503, _, _) {
            // It is starting, or ending to make room.
            return try await waitForHealth(of: nil)
        }
    }

    private func start() async throws {
        let executable = try self.executable()
        FileBytes.makePrivateFolder(above: log)
        let logged = FileBytes.size(of: log)
        let child: ChildProcess
        do {
            child = try ChildProcess.start(
                executable, [], environment: Self.childEnvironment(environment), streams: .log(path: log),
                isDetached: true)
        } catch {
            throw ClientError.daemonFailed(reason: "\(executable): \(error)", log: log)
        }
        _ = try await waitForHealth(of: child, logged: logged)
    }

    /// A crash must not wait for a key that nobody can press.
    static func childEnvironment(_ environment: [String: String]) -> [String: String] {
        environment.merging(["SWIFT_BACKTRACE": "enable=yes,interactive=no,color=no"]) { own, _ in own }
    }

    /// Asks until the daemon answers, in bounded time.
    private func waitForHealth(of child: ChildProcess?, logged: Int = 0) async throws -> Health {
        let clock = ContinuousClock()
        let deadline = clock.now + startLimit
        var pause = Duration.milliseconds(10)
        var child = child
        while true {
            do {
                return try await client.health()
            } catch ClientError.notRunning, ClientError.connectionLost, ClientError.refused(503, _, _) {
                if let ending = child?.poll() {
                    // Another client was faster: its daemon holds the lock and will answer.
                    guard ending == .exited(code: 73) else { throw failure(ending, since: logged) }
                    child = nil
                }
                guard clock.now < deadline else {
                    let seconds = startLimit.components.seconds
                    throw ClientError.daemonFailed(
                        reason: "it did not answer within \(seconds) seconds", log: log)
                }
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(100))
        }
    }

    private func failure(_ ending: ChildProcess.Ending, since logged: Int) -> ClientError {
        let last = FileBytes.lastLine(of: log, since: logged)
        switch ending {
        case .exited(let code):
            return .daemonFailed(reason: last ?? "it ended at once with exit code \(code)", log: log)
        case .killed(let signal):
            return .daemonFailed(reason: "it was ended by signal \(signal)", log: log)
        }
    }

    private func endOlder(_ health: Health) async throws {
        try await client.shutDown()
        let clock = ContinuousClock()
        let deadline = clock.now + endLimit
        while clock.now < deadline {
            do {
                let now = try await client.health()
                if now.pid != health.pid { return }
            } catch ClientError.notRunning {
                return
            } catch ClientError.connectionLost, ClientError.refused(503, _, _) {
                // It is about to end.
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw ClientError.daemonStillBusy(version: health.version)
    }

    // MARK: - Places and versions

    /// Beside this program, then in the folders of `PATH`.
    private static func places(_ environment: [String: String]) -> [String] {
        var places: [String] = []
        if let own = executablePath(), let slash = own.lastIndex(of: "/") {
            places.append(String(own[..<slash]) + "/inklingd")
        }
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        return places + folders.filter { $0.hasPrefix("/") }.map { $0 + "/inklingd" }
    }

    /// The path of the running program.
    public static func executablePath() -> String? {
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            let count = readlink("/proc/self/exe", buffer.baseAddress!, buffer.count)
            return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
        }
    }

    /// -1, 0 or 1 as the first version is older than, equal to or newer than the second.
    static func compare(_ first: String, _ second: String) -> Int {
        func numbers(_ version: String) -> [Int] {
            version.split(separator: "-").first.map { $0.split(separator: ".").map { Int($0) ?? 0 } } ?? []
        }
        let (first, second) = (numbers(first), numbers(second))
        for index in 0..<max(first.count, second.count) {
            let (a, b) = (index < first.count ? first[index] : 0, index < second.count ? second[index] : 0)
            if a != b { return a < b ? -1 : 1 }
        }
        return 0
    }
}
