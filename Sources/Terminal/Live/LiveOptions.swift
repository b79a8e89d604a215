public import AssistantAPI

/// What a person asked `inkling live` for.
public struct LiveOptions: Sendable {
    /// The text to begin with.
    public var prompt: String
    public var settings = CanvasSettings()
    /// The folder that kept pictures are written to.
    public var folder: String
    /// No cursor movement, colours or pictures: a line is a picture.
    public var isPlain = false
    /// How pictures are shown; `nil` as the terminal can.
    public var graphics: GraphicsProtocol?

    /// Options whose target is a folder.
    ///
    /// - Throws: `ClientError` for another target, or a folder that cannot be written to.
    public init(prompt: String, target: PictureTarget) throws(ClientError) {
        guard case .folder(let folder) = target else {
            throw .usage("live keeps a picture at each Enter: -o takes a folder, which has to be there")
        }
        try target.check()
        self.prompt = prompt
        self.folder = folder
    }
}
