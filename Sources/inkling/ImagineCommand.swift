import ArgumentParser
import AssistantAPI
import Terminal

/// `inkling imagine`.
struct ImagineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "imagine", abstract: "Paint a picture of what a prompt says.",
        discussion: """
            The picture is shown where the terminal can, and written to the current folder under a name made from the \
            prompt and the seed; the name is printed, with the size, the seed and the time. When standard output is no \
            terminal, only the names are printed, one a line. The same settings and seed paint the same picture.

            Examples:
              inkling imagine "a fox reading a newspaper"
              inkling imagine "a fox" -o fox.webp --size 768x512 --steps 30 --seed 42
              inkling imagine "a fox" -n 4 -o foxes/
              inkling imagine "in winter" --init fox.png --strength 0.6
              inkling imagine "a red hat" --init fox.png --mask hat.png
              inkling imagine "a fox" --lora style.safetensors:0.8
              echo "a fox" | inkling imagine -o - | magick - fox.jpg
              inkling imagine "a fox" --json | jq .pictures[].path

            --json prints one object when the work is over, however it ended: "pictures" (each with its "path", \
            "milliseconds" and "picture", whose "recipe" has every setting), "notices", "finish" ("stop" when all is \
            done), "timings", "prompt_tokens" and, after a failure, "error" with its "message".

            Exit codes: 0 done; 1 failed; 64 wrong usage; 69 the daemon is not to be had; 130 interrupted, when \
            finished pictures are kept.
            """)

    static let terminalRefusal =
        "-o - writes a picture's bytes, which a terminal cannot show; pipe them somewhere"

    @Argument(help: "What to paint; without it, the prompt is read from a pipe.")
    var prompt: [String] = []

    @OptionGroup(title: "The picture") var settings: PictureSettings
    @OptionGroup(title: "Start picture and additions") var additions: PictureAdditions
    @OptionGroup(title: "Files") var files: PictureFiles
    @OptionGroup(title: "What is shown") var display: DisplayOptions

    @Flag(name: .customLong("private"), help: "Keep nothing in the history.")
    var isPrivate = false

    func run() async throws {
        let prompt = try ImagineOptions.prompt(words: self.prompt) {
            try StandardStreams.pipedInput(limit: 1 << 20)
        }
        var request = PictureRequest(prompt: prompt)
        try settings.apply(to: &request)
        try additions.apply(to: &request)
        files.apply(to: &request)
        request.isPrivate = isPrivate ? true : nil
        var options = ImagineOptions(request: request, target: PictureTarget(files.output))
        display.apply(to: &options)
        try options.settle()
        if options.target == .standardOutput, StandardStreams.isOutputTerminal {
            throw ValidationError(Self.terminalRefusal)
        }
        try options.target.check()
        let daemon = try Daemon()
        let settled = options
        try await Interruption.cancelling {
            try await daemon.launcher.ensureRunning { StandardStreams.complain($0) }
            try await ImagineSession(client: daemon.client, options: settled, environment: daemon.environment)
                .run()
        }
    }
}

/// What decides how a picture looks.
struct PictureSettings: ParsableArguments {
    @OptionGroup var look: PictureLook
    @Option(help: "Denoising steps: more take longer and may look better.")
    var steps: Int?
    @Option(help: "The noise that the picture begins with; chosen and told without it.")
    var seed: UInt64?
    @Option(
        help: ArgumentHelp(
            "ddim, pndm, euler, euler_a, dpmpp_2m, dpmpp_2m_karras, lcm, tcd or unipc; the model's own without it.",
            valueName: "name"))
    var scheduler: String?
    @Option(help: ArgumentHelp("full, or tiny: faster and a little coarser.", valueName: "full|tiny"))
    var decoder: String?
    @Option(help: "How many of the text encoder's last layers are left out.")
    var clipSkip: Int?
    @Option(
        help: ArgumentHelp(
            "epsilon, v_prediction or sample: what the network gives, where a model's files do not say it.",
            valueName: "kind"))
    var prediction: String?

    func apply(to request: inout PictureRequest) throws {
        request.model = try look.absoluteModel
        let size = try look.pictureSize
        (request.width, request.height) = (size?.width, size?.height)
        request.steps = steps
        request.seed = seed
        request.scheduler = scheduler
        request.guidanceScale = look.guidance
        request.negativePrompt = look.negative
        request.decoder = decoder
        request.clipSkip = clipSkip
        request.prediction = prediction
    }
}

/// Files that go into a picture.
struct PictureAdditions: ParsableArguments {
    @Option(
        name: .customLong("init"),
        help: ArgumentHelp("A PNG or WebP file to start from; - for standard input.", valueName: "file"))
    var start: String?
    @Option(help: "How much of the start picture is painted anew: above 0, up to 1.")
    var strength: Double?
    @Option(
        help: ArgumentHelp("A PNG or WebP file: white is painted anew, black is kept.", valueName: "file"))
    var mask: String?
    @Option(
        name: .customLong("lora"),
        help: ArgumentHelp(
            "A LoRA to merge into the model, and its weight, 1 without it; may be repeated.",
            valueName: "file[:weight]"))
    var loras: [String] = []

    func apply(to request: inout PictureRequest) throws {
        request.initImage = try start.map { path throws(ClientError) in try PictureInput.read(path) }
        request.strength = strength
        request.mask = try mask.map { path throws(ClientError) in try PictureInput.read(path) }
        if !loras.isEmpty {
            request.loras = try loras.map { text throws(ClientError) in try LoRAArgument.parse(text) }
        }
    }
}

/// The files that are written.
struct PictureFiles: ParsableArguments {
    @Option(name: [.customShort("n"), .long], help: "How many pictures, each with the next seed.")
    var count = 1
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            """
            A file, which is replaced (with -n, a number is put into its name); a folder; or - for standard output.
            """, valueName: "file"))
    var output: String?
    @Option(help: "png or webp; without it as the file's name ends, else png.")
    var format: Format?
    @Option(help: ArgumentHelp("WebP's quality; lossless without it.", valueName: "0-100"))
    var quality: Int?
    @Flag(help: "Leave the prompt and the settings out of the file, which still says that a model made it.")
    var noMetadata = false

    enum Format: String, ExpressibleByArgument, CaseIterable, Sendable {
        case png, webp
    }

    func apply(to request: inout PictureRequest) {
        request.count = count == 1 ? nil : count
        request.format = format.flatMap { PictureFormat(rawValue: $0.rawValue) }
        request.quality = quality
        request.keepsRecipe = noMetadata ? false : nil
    }
}

/// What is shown in the terminal meanwhile.
struct DisplayOptions: ParsableArguments {
    @OptionGroup var graphics: GraphicsOption
    @Flag(
        inversion: .prefixedNo,
        help: "Show the picture while it is painted (default: where pictures can be shown).")
    var preview: Bool?
    @Flag(help: "No cursor movement, colours or pictures: for screen readers and simple terminals.")
    var plain = false
    @Flag(help: "Print one JSON object when all is done.")
    var json = false
    @Flag(name: .shortAndLong, help: "Print nothing but errors.")
    var quiet = false

    func apply(to options: inout ImagineOptions) {
        options.graphics = graphics.kind
        options.showsPreview = preview
        options.isPlain = plain
        options.isJSON = json
        options.isQuiet = quiet
    }
}
