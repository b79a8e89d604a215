import ArgumentParser
import AssistantAPI
import Terminal

@main
struct InklingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inkling",
        abstract: "A private assistant on your own machine.",
        usage: """
            inkling
            inkling "why is the sky blue?"
            cat notes.txt | inkling "summarise"
            inkling live
            inkling imagine "a fox reading a newspaper"
            inkling open
            inkling <subcommand>
            """,
        discussion: """
            Without a subcommand: with a question, answers it once; without one, begins a chat. \
            What is piped in follows the question.

            Exit codes: 0 done; 1 failed; 64 wrong usage; 69 the daemon is not to be had; 130 interrupted.
            """,
        version: "inkling \(Inkling.version)",
        subcommands: [
            ChatCommand.self, AskCommand.self, LiveCommand.self, ImagineCommand.self, PicturesCommand.self,
            OpenCommand.self, HistoryCommand.self,
            PullCommand.self, ListCommand.self, ShowCommand.self, CopyCommand.self, RemoveCommand.self,
            PsCommand.self, StopCommand.self, PinCommand.self, UnpinCommand.self,
            QuantizeCommand.self, DoctorCommand.self,
            ServeCommand.self,
            VersionCommand.self, DefaultCommand.self,
        ],
        defaultSubcommand: DefaultCommand.self)

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                do {
                    try await command.run()
                } catch is CancellationError {
                    throw ClientError.cancelled
                }
            } else {
                try command.run()
            }
        } catch let error as ClientError {
            StandardStreams.complain(error.description)
            exit(withError: ExitCode(error.exitCode))
        } catch let error as Failure {
            StandardStreams.complain(error.sentence)
            exit(withError: ExitCode(1))
        } catch {
            end(with: error)
        }
    }

    /// Ends as ArgumentParser would, but with mistakes said in this program's own way.
    private static func end(with error: any Error) -> Never {
        let code = exitCode(for: error)
        var text = fullMessage(for: error)
        if code.isSuccess { exit(withError: error) }
        if text.hasPrefix("Error: ") { text.removeFirst("Error: ".count) }
        if !text.isEmpty { StandardStreams.complain(text) }
        exit(withError: code)
    }
}

/// `inkling` alone, or with a question.
struct DefaultCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat-or-ask", abstract: "Answer a question; without one, begin a chat.",
        usage: "inkling [<options>] [<question> ...]", shouldDisplay: false)

    @OptionGroup var chat: ChatOptions
    @Flag(help: "Print one JSON object instead of text.")
    var json = false
    @Argument(help: "What to ask; without it, a chat begins.")
    var question: [String] = []

    func run() async throws {
        if question.isEmpty, !json, StandardStreams.isInputTerminal {
            try await chat.runChat()
        } else {
            try await chat.runOnce(question, isJSON: json)
        }
    }
}

/// `inkling chat`.
struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat", abstract: "Chat in the terminal, or with one message a line of input.")

    @OptionGroup var chat: ChatOptions

    func run() async throws { try await chat.runChat() }
}

/// `inkling ask`.
struct AskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ask", abstract: "Answer one question; piped input follows it.")

    @OptionGroup var chat: ChatOptions
    @Flag(help: "Print one JSON object instead of text.")
    var json = false
    @Argument(help: "What to ask.")
    var question: [String] = []

    func run() async throws { try await chat.runOnce(question, isJSON: json) }
}
