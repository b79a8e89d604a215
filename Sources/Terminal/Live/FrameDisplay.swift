import AssistantAPI
import ImageCodecs

/// How the frames of a canvas are drawn in a terminal.
struct FrameDisplay: Sendable {
    let graphics: TerminalGraphics

    /// Small models' pictures are shown at least so high, in pixels, if they are enlarged by no more than that.
    private static let comfortableHeight = 384
    private static let largestScale = 4

    init(_ graphics: TerminalGraphics) { self.graphics = graphics }

    /// Finds out how standard output's terminal shows pictures; `nil` where it cannot.
    ///
    /// What a person prefers counts most, then the variable `INKLING_GRAPHICS`.
    static func detect(preferred: GraphicsProtocol?, environment: [String: String]) -> Self? {
        TerminalGraphics.ofOutput(preferred: preferred, environment: environment).map(Self.init)
    }

    /// The same with cells as large as they are now, where the system knows: a window's font may have changed with its size.
    func remeasured(_ cell: PixelSize? = TerminalQuestion.cellSize()) -> FrameDisplay {
        guard let cell else { return self }
        var graphics = graphics
        graphics.cell = cell
        return FrameDisplay(graphics)
    }

    /// The format in which the terminal takes pictures as they are, so that nothing is encoded twice.
    var format: PictureFormat { takesFiles ? .png : .webp }

    private var takesFiles: Bool { [.kitty, .iterm].contains(graphics.graphics) }

    /// The cells that every frame of a canvas takes, whatever its stage's size is.
    func area(of size: PictureSize, in room: TerminalOutput.Size) -> CellArea {
        var rows = room.rows
        if graphics.graphics != .blocks {
            let height = max(size.height, min(Self.comfortableHeight, Self.largestScale * size.height))
            rows = min(rows, max(1, (height + graphics.cell.height - 1) / graphics.cell.height))
        }
        return graphics.area(width: size.width, height: size.height, columns: room.columns, rows: rows)
    }

    /// Draws a finished picture's file within a room, to stay there; `nil` when that cannot be.
    func draw(_ file: [UInt8], in room: TerminalOutput.Size) -> String? {
        guard room.rows > 0, let bitmap = try? Bitmap(decoding: file) else { return nil }
        let area = area(of: PictureSize(width: bitmap.width, height: bitmap.height), in: room)
        return graphics.render(bitmap, area, id: TerminalGraphics.makeID())?.text
    }

    /// Draws a frame's file; `nil` when that cannot be.
    ///
    /// `id` is the number of the picture in terminals that have numbers: a frame takes the place of the one before.
    func draw(_ file: [UInt8], number: Int, area: CellArea, id: UInt32) -> LiveScreen.Picture? {
        let drawing: TerminalGraphics.Drawing?
        if takesFiles, file.starts(with: [0x89, 0x50, 0x4E, 0x47]) {
            drawing = graphics.render(png: file, area, id: id)
        } else {
            drawing = (try? Bitmap(decoding: file)).flatMap { graphics.render($0, area, id: id) }
        }
        return drawing.map {
            .init(drawing: $0, number: number, isText: graphics.isText, removal: graphics.removal(of: id))
        }
    }
}
