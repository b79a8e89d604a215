import ArgumentParser
import AssistantAPI
import Terminal

/// `inkling pull`.
struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Have a model from the Hugging Face hub.",
        discussion: """
            Of a repository only what is needed comes: of GGUF files one (Q4_K_M where none is named), of a diffusers \
            model its parts in half precision, of others the safetensors files and what describes them. Each file is \
            compared with its digest, and the model appears when all of it is there. Control-C stops; the same command \
            goes on from there.

            Without a name: the catalogue of known good models, each with a short name.

            Examples:
              inkling pull llama3.2:1b
              inkling pull bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M
              inkling pull hf.co/stabilityai/sd-turbo
              inkling pull owner/name/folder/file.gguf
              inkling pull owner/name@v1.0 --name mine

            The daemon asks the hub, by the variables HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and HTTPS_PROXY; the \
            first two and --offline count here too.
            """)

    @Argument(help: ArgumentHelp("What to have.", valueName: "model"))
    var model: String?
    @Option(help: "The name that it is to have.")
    var name: String?
    @Flag(help: "Ask nobody: succeeds when the model is here already.")
    var offline = false
    @Flag(help: "No cursor movement: for screen readers and simple terminals.")
    var plain = false
    @Flag(help: "Print one JSON object a line for everything that happens.")
    var json = false
    @Flag(name: .shortAndLong, help: "Print nothing but errors.")
    var quiet = false

    func run() async throws {
        guard let model else { return try await ListCommand.showCatalogue(isJSON: json) }
        let daemon = try Daemon()
        let environment = daemon.environment
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let request = PullRequest(
            model: model, name: name, endpoint: variable("HF_ENDPOINT"), token: variable("HF_TOKEN"),
            offline: offline ? true : nil)
        var options = PullSession.Options()
        (options.isJSON, options.isQuiet, options.isPlain) = (json, quiet, plain)
        try await HistoryCommand.withDaemon { [options] client in
            try await PullSession(client: client, options: options, environment: environment).run(request)
        }
    }
}
