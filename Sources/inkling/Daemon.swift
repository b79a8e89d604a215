import FoundationEssentials
import Settings
import Terminal

/// How this process reaches the daemon.
struct Daemon {
    let client: DaemonClient
    let launcher: DaemonLauncher
    let environment: [String: String]
    private let paths: Paths

    /// - Throws: `Failure` with a sentence, when the configuration cannot be used.
    init() throws {
        environment = ProcessInfo.processInfo.environment
        do {
            let configuration = try Configuration.load(environment: environment)
            paths = try Paths(environment: environment).applying(configuration)
        } catch {
            throw Failure(sentence: "\(error)")
        }
        client = DaemonClient(socket: paths.socket)
        launcher = DaemonLauncher(client: client, log: paths.log, environment: environment)
    }

    /// Where typed lines are kept, unless the environment asks for nothing of the sort.
    var historyFile: InputHistoryFile? {
        let refusals = ["INKLING_NO_INPUT_HISTORY", "OLLAMA_NOHISTORY"]
        let isRefused = refusals.contains { name in
            environment[name].map { !["", "0", "false"].contains($0.lowercased()) } ?? false
        }
        return isRefused ? nil : InputHistoryFile(path: paths.inputHistory)
    }
}

/// Something went wrong, in a sentence.
struct Failure: Error {
    var sentence: String
}
