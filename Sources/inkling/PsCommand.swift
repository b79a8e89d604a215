import ArgumentParser
import AssistantAPI
import Terminal

/// `inkling ps`.
struct PsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ps", abstract: "List the models in memory, what they take, and until when.",
        discussion: """
            A model goes when nobody used it for as long as memory.keep_alive says, or when another one needs its memory. \
            The last line tells what all models and caches take, of how much they may.
            """)

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        try await HistoryCommand.withDaemon { client in
            let report = try await client.memory()
            if json {
                try HistoryCommand.printJSON(report)
                return
            }
            StandardStreams.write(LoadedModelText.table(report), to: 1)
        }
    }
}

/// `inkling stop`.
struct StopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Let models go from memory, at once or when their work is done.")

    @Argument(help: ArgumentHelp("Their names.", valueName: "model"))
    var names: [String]

    func run() async throws {
        try await HistoryCommand.withDaemon { client in
            for name in names {
                let model = try await client.unload(model: ModelText.absolute(name))
                StandardStreams.write("\(TextSanitizer.line(model)) goes from memory.\n", to: 1)
            }
        }
    }
}

/// `inkling pin`.
struct PinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin", abstract: "Let models stay in memory, whoever needs it.",
        discussion: """
            They stay from their next use on, or since they are there, until they are stopped or the daemon ends; \
            memory.pinned in the configuration does so from the start.
            """)

    @Argument(help: ArgumentHelp("Their names.", valueName: "model"))
    var names: [String]

    func run() async throws { try await Self.pin(names, true, "stays in memory once it was used") }

    static func pin(_ names: [String], _ isPinned: Bool, _ outcome: String) async throws {
        try await HistoryCommand.withDaemon { client in
            for name in names {
                let model = try await client.pin(model: ModelText.absolute(name), isPinned)
                StandardStreams.write("\(TextSanitizer.line(model)) \(outcome).\n", to: 1)
            }
        }
    }
}

/// `inkling unpin`.
struct UnpinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpin", abstract: "Let models go from memory again when they were not used for a while."
    )

    @Argument(help: ArgumentHelp("Their names.", valueName: "model"))
    var names: [String]

    func run() async throws { try await PinCommand.pin(names, false, "is no longer pinned") }
}
