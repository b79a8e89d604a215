import ArgumentParser
import AssistantAPI
import Terminal

/// `inkling live`.
struct LiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "live", abstract: "Paint while you type: the picture follows the words.",
        discussion: """
            Each key changes the picture: first as a quick draft, and as soon as you pause, better, up to the settled \
            picture, which is the one that "inkling imagine" paints of the same prompt, seed and settings. The seed stays \
            the same while you type, so that the picture keeps its composition.

            Enter keeps the settled picture, in the history and in the current folder, and begins another one. Tab takes \
            the next seed and Shift-Tab the one before; Up brings back what you kept; Control-C or Control-D leaves.

            Page Up shows the picture of an earlier text (with Alt, every single frame) and Page Down a later one; Enter \
            keeps it exactly as it was, Escape returns. Alt-E asks the chat model for more words, which are put behind \
            yours and can be undone with Control-_.

            Examples:
              inkling live
              inkling live "a lighthouse in a storm"
              inkling live --model ~/models/sd-turbo --size 512 -o pictures/
              printf 'a fox\\na hen\\n' | inkling live     # no terminal: a picture a line, and its name
            """)

    @Argument(help: "The text to begin with.")
    var prompt: [String] = []

    @OptionGroup(title: "The picture") var settings: CanvasArguments

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The folder that kept pictures go to; the current one without it.", valueName: "folder"))
    var output: String?
    @OptionGroup var graphics: GraphicsOption
    @Flag(help: "No cursor movement, colours or pictures: a line of input is a picture.")
    var plain = false

    func run() async throws {
        var options = try LiveOptions(
            prompt: prompt.joined(separator: " "), target: PictureTarget(output))
        try settings.apply(to: &options.settings)
        options.isPlain = plain
        options.graphics = graphics.kind
        let daemon = try Daemon()
        try await daemon.launcher.ensureRunning { StandardStreams.complain($0) }
        try await LiveSession.onTerminal(
            client: daemon.client, launcher: daemon.launcher, options: options,
            environment: daemon.environment)
    }
}

/// What decides how the pictures of a canvas look.
struct CanvasArguments: ParsableArguments {
    @OptionGroup var look: PictureLook
    @Option(help: "Denoising steps of the settled picture; drafts take fewer.")
    var steps: Int?
    @Option(help: "The noise that every frame begins with; 0 without it.")
    var seed: UInt64?
    @Option(help: ArgumentHelp("As \"inkling imagine\" has them.", valueName: "name"))
    var scheduler: String?
    @Option(help: ArgumentHelp("Of the settled picture: full, or tiny.", valueName: "full|tiny"))
    var decoder: String?
    @Option(
        help: ArgumentHelp(
            "How long a key's first draft may take; as the configuration says without it.",
            valueName: "milliseconds"))
    var budget: Double?

    func apply(to settings: inout CanvasSettings) throws {
        settings.model = try look.absoluteModel
        let size = try look.pictureSize
        (settings.width, settings.height) = (size?.width, size?.height)
        settings.steps = steps
        settings.seed = seed
        settings.scheduler = scheduler
        settings.guidanceScale = look.guidance
        settings.negativePrompt = look.negative
        settings.decoder = decoder
        settings.budget = budget
    }
}
