import ArgumentParser
import AssistantAPI
import FoundationEssentials
import Terminal

/// `inkling history`.
struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "List, show, search, export, delete and restore conversations.",
        subcommands: [List.self, Show.self, Search.self, Export.self, Delete.self, Restore.self],
        defaultSubcommand: List.self)

    /// Runs `body` with a daemon that answers; Control-C ends it.
    static func withDaemon(_ body: @escaping @Sendable (DaemonClient) async throws -> Void) async throws {
        let daemon = try Daemon()
        try await Interruption.cancelling {
            try await daemon.launcher.ensureRunning { StandardStreams.complain($0) }
            try await body(daemon.client)
        }
    }

    /// One JSON value, on a line.
    static func printJSON(_ value: some Encodable) throws {
        StandardStreams.write(try JSONText.line(value), to: 1)
    }
}

extension HistoryCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List conversations, the newest first.")

        @Option(name: .shortAndLong, help: "How many at most; 0 lists all.")
        var limit = 20
        @Flag(help: "Print one JSON object.")
        var json = false

        func validate() throws {
            if limit < 0 { throw ValidationError("--limit takes a number of conversations, or 0 for all") }
        }

        func run() async throws {
            try await HistoryCommand.withDaemon { client in
                let wanted = limit == 0 ? Int.max : limit
                if json {
                    try HistoryCommand.printJSON(
                        ConversationList(conversations: try await collect(wanted, client)))
                    return
                }
                let columns = StandardStreams.outputColumns
                var isEmpty = true
                try await eachPage(wanted, client) { page in
                    isEmpty = isEmpty && page.isEmpty
                    let rows = page.map { ConversationText.row($0, columns: columns) + "\n" }
                    StandardStreams.write(rows.joined(), to: 1)
                }
                if isEmpty { StandardStreams.complain("there is no conversation yet") }
            }
        }

        private func collect(_ wanted: Int, _ client: DaemonClient) async throws -> [Conversation] {
            var all: [Conversation] = []
            try await eachPage(wanted, client) { all += $0 }
            return all
        }

        private func eachPage(
            _ wanted: Int, _ client: DaemonClient, _ body: ([Conversation]) -> Void
        ) async throws {
            var left = wanted
            var page: String?
            repeat {
                let list = try await client.conversations(before: page, limit: min(left, 100))
                body(Array(list.conversations.prefix(left)))
                left -= min(left, list.conversations.count)
                page = list.next
            } while page != nil && left > 0
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a conversation, and its pictures where the terminal can.")

        @Argument(help: "Its id, the beginning of it, or \"last\".")
        var id: String
        @OptionGroup var graphics: GraphicsOption
        @Flag(help: "Print one JSON object.")
        var json = false

        func run() async throws {
            let environment = try Daemon().environment
            try await HistoryCommand.withDaemon { client in
                let transcript = try await client.transcript(try await client.find(id))
                if json {
                    try HistoryCommand.printJSON(transcript)
                } else {
                    await TranscriptPrinter(
                        client: client, preferring: graphics.kind, environment: environment
                    ).write(transcript)
                }
            }
        }
    }

    struct Search: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Search titles and messages.")

        @Argument(help: "The words to look for.")
        var words: [String]
        @Option(name: .shortAndLong, help: "How many matches at most.")
        var limit = 20
        @Flag(help: "Print one JSON object.")
        var json = false

        func validate() throws {
            if limit < 1 { throw ValidationError("--limit takes a number of matches, at least 1") }
        }

        func run() async throws {
            try await HistoryCommand.withDaemon { client in
                let matches = try await client.search(words.joined(separator: " "), limit: limit)
                if json {
                    try HistoryCommand.printJSON(SearchResults(matches: matches))
                    return
                }
                let marks = StandardStreams.usesColor ? ("\u{1B}[1m", "\u{1B}[0m") : ("", "")
                StandardStreams.write(ConversationText.matches(matches, marks: marks), to: 1)
                // As grep has it.
                if matches.isEmpty { throw ExitCode(1) }
            }
        }
    }

    struct Export: AsyncParsableCommand {
        enum Format: String, ExpressibleByArgument, CaseIterable, Sendable {
            case md, json
        }

        static let configuration = CommandConfiguration(
            abstract: "Write a conversation as Markdown or JSON, to standard output or a file.")

        @Argument(help: "Its id, the beginning of it, or \"last\".")
        var id: String
        @Option(name: .shortAndLong, help: "md or json; by default as the file's name says, else md.")
        var format: Format?
        @Option(name: .shortAndLong, help: ArgumentHelp("A new file, closed to others.", valueName: "file"))
        var output: String?
        @Flag(help: "Replace the file when it is there.")
        var force = false

        func run() async throws {
            let format = self.format ?? (output?.hasSuffix(".json") == true ? .json : .md)
            try await HistoryCommand.withDaemon { client in
                let transcript = try await client.transcript(try await client.find(id))
                let text =
                    switch format {
                    case .md: ConversationText.markdown(transcript)
                    case .json: try JSONText.line(transcript)
                    }
                if let output {
                    try StandardStreams.writeFile(text, to: output, replacing: force)
                } else {
                    StandardStreams.write(text, to: 1)
                }
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a conversation; for a while this can be undone.")

        @Argument(help: "Its id, the beginning of it, or \"last\".")
        var id: String
        @Flag(help: "Erase it at once and for good.")
        var now = false
        @Flag(help: "Print one JSON object.")
        var json = false

        func run() async throws {
            try await HistoryCommand.withDaemon { client in
                let id = try await client.find(self.id)
                let deleted = try await client.delete(id, now: now)
                if json {
                    if let deleted { try HistoryCommand.printJSON(deleted) }
                    return
                }
                let title = deleted.map { " \"\(ConversationText.title(of: $0))\"" } ?? ""
                if !now, let end = deleted?.erasedAt {
                    StandardStreams.write(
                        "Deleted\(title). Until \(LocalTime.ahead(end)), to undo it: "
                            + "inkling history restore \(id)\n", to: 1)
                } else {
                    StandardStreams.write("Erased\(title) for good.\n", to: 1)
                }
            }
        }
    }

    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Bring a deleted conversation back.")

        @Argument(help: "Its whole id, as \"delete\" said it.")
        var id: String
        @Flag(help: "Print one JSON object.")
        var json = false

        func run() async throws {
            try await HistoryCommand.withDaemon { client in
                let restored = try await client.restore(id)
                if json {
                    try HistoryCommand.printJSON(restored)
                } else {
                    StandardStreams.write("Restored \"\(ConversationText.title(of: restored))\".\n", to: 1)
                }
            }
        }
    }
}
