import ArgumentParser
import AssistantAPI
import Terminal

/// What a chat and a single question have in common.
struct ChatOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "A model's name, or the path of its file or folder.")
    var model: String?
    @Option(name: .shortAndLong, help: "The system prompt.")
    var system: String?
    @Flag(name: .customLong("private"), help: "Keep nothing: neither the conversation nor the typed lines.")
    var isPrivate = false
    @Flag(help: "No cursor movement, colours or progress: for screen readers and simple terminals.")
    var plain = false
    @Flag(
        inversion: .prefixedNo,
        help: "Whether the model may paint when you ask it for a picture (default: chat.pictures).")
    var pictures: Bool?
    @Flag(help: "Tell after each answer how quick it was.")
    var stats = false
    @OptionGroup var graphics: GraphicsOption
    @Option(help: "Go on with this conversation: its id, the beginning of it, or \"last\".")
    var conversation: String?
    @Flag(name: [.customLong("continue"), .customShort("c")], help: "Go on with the last conversation.")
    var goesOn = false
    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Set a parameter, such as temperature=0.2; may be repeated.", valueName: "name=value"))
    var parameters: [String] = []

    func validate() throws {
        if goesOn, conversation != nil {
            throw ValidationError("--continue and --conversation name two conversations; give one of them")
        }
        if isPrivate, goesOn || conversation != nil {
            throw ValidationError("--private begins a conversation of its own; it cannot go on with another")
        }
    }

    func runChat() async throws {
        let daemon = try Daemon()
        var options = try chatOptions()
        try await daemon.launcher.ensureRunning { StandardStreams.complain($0) }
        // A slip of the pen is said before anything is typed.
        if let name = options.model { options.model = try await daemon.client.model(name) }
        let code = await ChatSession.onTerminal(
            client: daemon.client, launcher: daemon.launcher, options: options, isPlain: plain,
            graphics: graphics.kind,
            historyFile: isPrivate ? nil : daemon.historyFile, environment: daemon.environment)
        if code != 0 { throw ExitCode(code) }
    }

    func runOnce(_ question: [String], isJSON: Bool) async throws {
        let daemon = try Daemon()
        let piped = try StandardStreams.pipedInput()
        let prompt = try OneShot.prompt(
            question: question.isEmpty ? nil : question.joined(separator: " "), piped: piped)
        var options = OneShot.Options()
        options.chat = try chatOptions()
        (options.isJSON, options.isPlain) = (isJSON, plain)
        let chosen = options
        try await Interruption.cancelling {
            try await daemon.launcher.ensureRunning { StandardStreams.complain($0) }
            var options = chosen
            if let name = options.chat.model { options.chat.model = try await daemon.client.model(name) }
            try await OneShot(client: daemon.client, options: options, environment: daemon.environment)
                .run(prompt)
        }
    }

    private func chatOptions() throws -> ChatSession.Options {
        var options = ChatSession.Options()
        options.model = try model.map { name throws(ClientError) in try ModelText.absolute(name) }
        options.system = system
        options.isPrivate = isPrivate
        options.pictures = pictures
        options.showsFigures = stats
        options.conversation = goesOn ? "last" : conversation
        for parameter in parameters {
            let parts = parameter.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw ValidationError("--set takes name=value, such as temperature=0.2, not \"\(parameter)\"")
            }
            try ChatParameter.set(parts[0], to: parts[1], in: &options.settings)
        }
        return options
    }
}
