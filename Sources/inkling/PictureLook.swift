import ArgumentParser
import Terminal

/// What every command that paints takes alike.
struct PictureLook: ParsableArguments {
    @Option(name: .shortAndLong, help: "A model's name, or the path of its file or folder.")
    var model: String?
    @Option(
        help: ArgumentHelp(
            "Width and height in pixels, or one number for a square; the model's own without it.",
            valueName: "512x512"))
    var size: String?
    @Option(help: "How closely the prompt is followed, such as 7.5; 1 takes half the time.")
    var guidance: Double?
    @Option(help: ArgumentHelp("What the picture should not show.", valueName: "prompt"))
    var negative: String?

    /// The model, by a path that the daemon finds from wherever it runs.
    var absoluteModel: String? {
        get throws { try model.map { name throws(ClientError) in try ModelText.absolute(name) } }
    }

    var pictureSize: PictureSize? {
        get throws { try size.map { text throws(ClientError) in try PictureSize(text) } }
    }
}

/// How pictures are shown.
struct GraphicsOption: ParsableArguments {
    @Option(
        name: .customLong("graphics"),
        help: ArgumentHelp(
            "How pictures are shown; without it, and without the variable INKLING_GRAPHICS, as the terminal can.",
            valueName: "kind"))
    var kind: GraphicsProtocol?
}
