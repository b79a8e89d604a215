public import AssistantAPI
import FoundationEssentials

/// Pictures of the history, had again.
public struct PictureGallery: Sendable {
    private let client: DaemonClient

    public init(client: DaemonClient) { self.client = client }

    /// Writes a picture's file; its path, or `nil` for standard output.
    ///
    /// Without a target it goes to the current folder, named as when it was painted. A file that is there is only
    /// replaced when `isReplacing`.
    ///
    /// - Throws: `ClientError`.
    public func save(_ name: String, to target: PictureTarget, replacing isReplacing: Bool) async throws
        -> String?
    {
        try target.check()
        let picture = try await client.findPicture(name)
        if let format = try target.format(), format != picture.format {
            let ending = picture.format.rawValue
            throw ClientError.usage("this picture is a \(ending) file; give a name that ends in .\(ending)")
        }
        let file = Array(try await client.pictureFile(picture.id))
        let path: String
        switch target {
        case .standardOutput:
            StandardStreams.write(file, to: 1)
            return nil
        case .file(let name): path = name
        case .folder(let folder): path = PictureName.automatic(for: picture, in: folder)
        }
        do throws(PictureFile.Failure) {
            try PictureFile.write(
                file, to: path, replacing: isReplacing, guarding: { RawMode.removeAtEnd($0) })
        } catch {
            let shown = TextSanitizer.line(path)
            switch error {
            case .exists: throw ClientError.usage("\(shown) is there already; --force replaces it")
            case .system(let code):
                throw ClientError.failed("\(shown) cannot be written: \(ClientError.system(code))")
            }
        }
        return path
    }

    /// Draws a picture where the terminal of standard output can, and tells how it was painted.
    ///
    /// - Throws: `ClientError`.
    public func show(
        _ picture: Picture, preferring graphics: GraphicsProtocol?, environment: [String: String]
    ) async throws {
        let output = TerminalOutput.standard(isPlain: false, environment: environment)
        if output.isTerminal,
            let display = PictureDisplay.detect(preferred: graphics, environment: environment)
        {
            let file = Array(try await client.pictureFile(picture.id))
            let size = PictureSize(width: picture.width, height: picture.height)
            let text = PictureText.recipe(picture)
            let rows = max(1, output.size().rows - text.split(separator: "\n").count - 1)
            let room = TerminalOutput.Size(columns: output.size().columns, rows: max(rows, 8))
            output.write(display.draw(file, size, room, TerminalGraphics.makeID())?.text ?? "")
        }
        output.write(PictureText.recipe(picture))
    }
}
