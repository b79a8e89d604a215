import ArgumentParser
import Glibc
import HostProcess
import Logging
import Server
import Settings

/// The daemon: it answers clients over a Unix socket until it is asked to end.
@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inklingd", abstract: "Inkling's daemon: answers over a Unix socket from local models.",
        version: Daemon.version)

    @Option(help: "Read this configuration file instead of the user's.")
    var config: String?
    @Option(help: "Listen on this socket; its directory must be yours alone.")
    var socket: String?
    @Option(
        help: ArgumentHelp(
            "Listen there too, for the page and for programs that show the key that is printed.",
            valueName: "127.0.0.1:port"))
    var listen: String?
    @Flag(
        name: .customLong("no-key"),
        help: "With --listen: let every user of this machine in, without the key.")
    var noKey = false
    @Option(help: "Answer with this model by default: a known name or a path.")
    var model: String?
    @Option(help: "Compute with this many threads; 0 means as many as the machine allows.")
    var threads: String?
    @Option(name: .customLong("log-level"), help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: String?
    @Flag(help: "Keep no conversations on disk.")
    var `private` = false
    @Flag(name: .customLong("start-fresh"), help: "Set a damaged history aside and begin an empty one.")
    var startFresh = false

    func run() async throws {
        let environment = Self.environment()
        do {
            let configuration = try Configuration.load(flags: flags, environment: environment, file: config)
            var paths = try Paths(environment: environment).applying(configuration)
            if let executable = Paths.executable() {
                paths.shippedModels = Paths.shipped("models", besides: executable)
                paths.shippedPage = Paths.shipped("page", besides: executable)
                paths.shippedCatalogue = Paths.shipped("models.json", besides: executable, inClone: "Config")
            }
            var options = Daemon.LaunchOptions()
            options.isPrivate = `private`
            options.startsFresh = startFresh
            try await Daemon.launch(
                configuration: configuration, paths: paths, environment: environment, options: options,
                logger: Self.logger(configuration.log.level))
        } catch let error as ConfigurationError {
            throw Self.failure(.configuration, "\(error)")
        } catch let error as DaemonError {
            throw Self.failure(error.status, error.message)
        } catch {
            throw Self.failure(.internalError, "\(error)")
        }
    }

    private var flags: [String: String] {
        let values = [
            "server.socket": socket, "server.listen": listen, "server.require_key": noKey ? "false" : nil,
            "chat.model": model, "engine.threads": threads, "log.level": logLevel,
        ]
        return values.compactMapValues(\.self)
    }

    private static func logger(_ level: Configuration.Log.Level) -> Logger {
        var logger = Logger(label: "inklingd", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = Logger.Level(rawValue: level.rawValue) ?? .info
        return logger
    }

    private static func failure(_ status: ExitStatus, _ message: String) -> ExitCode {
        let line = "inklingd: \(message)\n"
        _ = write(STDERR_FILENO, line, line.utf8.count)
        return ExitCode(status.rawValue)
    }

    /// The process's variables; of a name that stands there twice, the first, as getenv has it.
    private static func environment() -> [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                let name = String(text[..<equals])
                if variables[name] == nil { variables[name] = String(text[text.index(after: equals)...]) }
            }
            next += 1
        }
        return variables
    }
}
