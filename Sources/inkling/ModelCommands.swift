import ArgumentParser
import AssistantAPI
import Terminal

/// `inkling list`.
struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the models that are here, also Ollama's and Hugging Face's.",
        aliases: ["ls", "models"])

    @Flag(help: "List what inkling pull knows by a short name instead.")
    var available = false
    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        if available { return try await Self.showCatalogue(isJSON: json) }
        try await HistoryCommand.withDaemon { client in
            let models = try await client.models()
            if json {
                try HistoryCommand.printJSON(["models": models])
            } else if models.isEmpty {
                StandardStreams.complain(
                    "there is no model yet; have one: inkling pull llama3.2:1b")
            } else {
                StandardStreams.write(ModelListText.table(models), to: 1)
            }
        }
    }

    /// Prints the catalogue of known good models.
    static func showCatalogue(isJSON: Bool) async throws {
        try await HistoryCommand.withDaemon { client in
            let available = try await client.availableModels()
            if isJSON {
                try HistoryCommand.printJSON(available)
            } else {
                StandardStreams.write(AvailableModelText.table(available), to: 1)
            }
        }
    }
}

/// `inkling show`.
struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Tell all that is known of a model.")

    @Argument(help: ArgumentHelp("Its name, or the path of its file or folder.", valueName: "model"))
    var name: String
    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        try await HistoryCommand.withDaemon { client in
            let description = try await client.describe(model: ModelText.absolute(name))
            if json {
                try HistoryCommand.printJSON(description)
            } else {
                StandardStreams.write(ModelListText.facts(description), to: 1)
            }
        }
    }
}

/// `inkling cp`.
struct CopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cp", abstract: "Give a model another name, which works everywhere.",
        discussion:
            "Nothing is copied: both names mean the same files. inkling rm takes the other name away again.")

    @Argument(help: ArgumentHelp("The model's name, or its path.", valueName: "model"))
    var source: String
    @Argument(help: ArgumentHelp("Its other name.", valueName: "name"))
    var destination: String

    func run() async throws {
        try await HistoryCommand.withDaemon { client in
            let alias = ModelAlias(source: try ModelText.absolute(source), destination: destination)
            _ = try await client.copy(alias)
            StandardStreams.write(
                "\(TextSanitizer.line(destination)) is \(TextSanitizer.line(source)) from now on.\n", to: 1)
        }
    }
}

/// `inkling rm`.
struct RemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Delete models for good, or take other names of them away.",
        discussion: """
            Only what lies in Inkling's own folder is deleted. A model in memory leaves it first. In a terminal it is \
            asked first.
            """)

    @Argument(help: ArgumentHelp("Their names.", valueName: "model"))
    var names: [String]
    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    func run() async throws {
        if !yes, StandardStreams.isInputTerminal {
            let shown = names.map { TextSanitizer.line($0) }.joined(separator: ", ")
            StandardStreams.write("Delete \(shown) for good? [y/N] ", to: 2)
            guard ["y", "yes"].contains(readLine()?.lowercased() ?? "") else { return }
        }
        try await HistoryCommand.withDaemon { client in
            for name in names {
                let deleted = try await client.delete(model: ModelText.absolute(name))
                let shown = TextSanitizer.line(deleted.name)
                StandardStreams.write(
                    deleted.path == nil
                        ? "\(shown) is no name any more.\n"
                        : "Deleted \(shown), \(ConversationText.size(deleted.bytes)).\n", to: 1)
            }
        }
    }
}
