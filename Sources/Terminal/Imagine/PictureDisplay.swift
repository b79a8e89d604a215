import ImageCodecs

/// Draws picture files in a terminal.
struct PictureDisplay: Sendable {
    /// How a file is drawn within a room, as a picture of some size; `nil` when it cannot be.
    ///
    /// A picture with the number of an earlier one takes its place where the terminal has numbers.
    var draw:
        @Sendable (_ file: [UInt8], _ size: PictureSize, _ room: TerminalOutput.Size, _ number: UInt32) ->
            TerminalGraphics.Drawing?

    /// Finds out how standard output's terminal shows pictures; `nil` where it cannot.
    ///
    /// What a person prefers counts most, then the variable `INKLING_GRAPHICS`.
    static func detect(preferred: GraphicsProtocol?, environment: [String: String]) -> Self? {
        TerminalGraphics.ofOutput(preferred: preferred, environment: environment).map(Self.init)
    }
}

extension PictureDisplay {
    init(_ graphics: TerminalGraphics) {
        draw = { file, size, room, number in
            guard let bitmap = try? Bitmap(decoding: file) else { return nil }
            var rows = room.rows
            // No larger than it is; a picture on its way is as large as it is going to be.
            if graphics.graphics != .blocks {
                rows = min(rows, max(1, (size.height + graphics.cell.height - 1) / graphics.cell.height))
            }
            // What erases the rest of a full row would erase its last character in some terminals.
            return graphics.render(bitmap, columns: max(1, room.columns - 1), rows: rows, id: number)
        }
    }
}
