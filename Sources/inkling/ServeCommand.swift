import ArgumentParser
import AssistantAPI
import FoundationEssentials
import Glibc
import Terminal

/// `inkling serve`.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the daemon here, in the foreground, with its own options.")

    @Argument(parsing: .captureForPassthrough, help: "Options of inklingd; --help lists them.")
    var arguments: [String] = []

    func run() throws {
        let daemon = try Daemon()
        try daemon.launcher.replaceThisProcess(with: arguments)
    }
}

/// `inkling version`.
struct VersionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the versions of this program and of the running daemon.")

    func run() async throws {
        StandardStreams.write("inkling \(Inkling.version)\n", to: 1)
        do {
            let health = try await Daemon().client.health()
            StandardStreams.write(
                "inklingd \(TextSanitizer.line(health.version)) (process \(health.pid))\n", to: 1)
        } catch ClientError.notRunning {
            StandardStreams.write("inklingd is not running\n", to: 1)
        }
    }
}
