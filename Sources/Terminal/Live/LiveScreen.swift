/// Draws an input line with a picture above it and a status below, writing only what changed since it was drawn last.
///
/// A value: it returns what to write to the terminal and remembers what then stands there. Without picture and status
/// it writes what ``LineRenderer`` does.
struct LiveScreen {
    /// A frame as it is drawn.
    struct Picture: Sendable, Equatable {
        var drawing: TerminalGraphics.Drawing
        /// Two pictures of one number look the same.
        var number: Int
        /// Consists of characters, which a narrower window wraps.
        var isText = false
        /// What takes it off the screen, beside erasing its cells.
        var removal = ""

        var rows: Int { drawing.area.rows }
    }

    private var text = LineRenderer()
    private var picture: Picture?

    /// Whether something stands on the screen.
    var isDrawn: Bool { text.isDrawn }

    /// The rows that are left for a picture, beside the status and up to two rows of the text; 0 in a small window.
    static func room(in size: TerminalOutput.Size) -> TerminalOutput.Size {
        let rows = size.rows - 3
        return rows >= 4 && size.columns >= 8
            ? .init(columns: size.columns - 1, rows: rows) : .init(columns: 0, rows: 0)
    }

    /// What brings the screen from what was drawn last to this.
    mutating func draw(
        _ layout: LineLayout, status: String = "", dims: Bool = true, picture new: Picture? = nil,
        size: TerminalOutput.Size
    ) -> String {
        let isNew = new?.number != picture?.number || new?.drawing.area != picture?.drawing.area
        var output = isNew ? replacePicture(with: new) : ""
        // In a single row the text alone has room: a second one would scroll at each key.
        let status = size.rows < 2 ? "" : status
        let height = max(1, size.rows - (picture?.rows ?? 0) - (status.isEmpty ? 0 : 1))
        let window = layout.window(height: height)
        var rows = Array(window.rows)
        if !status.isEmpty { rows.append(status.map { .init(character: $0, isDim: dims) }) }
        let change = text.draw(
            rows, cursorRow: window.cursorRow, cursorColumn: layout.cursorColumn, columns: size.columns)
        output += change.output
        // All of it appears at once on terminals that know the mode; on others at least no cursor runs about.
        if isNew { return "\u{1B}[?2026h\u{1B}[?25l\(output)\u{1B}[?25h\u{1B}[?2026l" }
        return change.isLarge ? "\u{1B}[?2026h\(output)\u{1B}[?2026l" : output
    }

    /// Draws the picture in the place of the one before; the cursor is then where the text begins.
    private mutating func replacePicture(with new: Picture?) -> String {
        var output = LineRenderer.up(text.cursorRow + (picture?.rows ?? 0)) + (isDrawn ? "\r" : "")
        if picture?.drawing.area != new?.drawing.area {
            // Where the new one does not cover all of the old one, everything is drawn anew.
            if let picture { output += picture.removal }
            if isDrawn { output += "\u{1B}[J" }
            text.forget()
        } else {
            text.beginAgain()
        }
        picture = new
        return output + (new?.drawing.text ?? "")
    }

    /// Leaves all as it stands and goes to the start of a fresh row below it.
    mutating func finish() -> String {
        picture = nil
        return text.finish()
    }

    /// Takes all off the screen; the cursor is then where it began.
    mutating func erase() -> String {
        guard let picture else { return text.erase() }
        let above = text.cursorRow + picture.rows
        forget()
        return picture.removal + LineRenderer.up(above) + "\r\u{1B}[J"
    }

    /// The same after the window's width changed, which made terminals wrap the drawn rows anew.
    mutating func erase(afterResizeTo columns: Int) -> String {
        guard let picture else { return text.erase(afterResizeTo: columns) }
        let columns = max(columns, 1)
        let parts = picture.isText ? (picture.drawing.area.columns + columns - 1) / columns : 1
        let above = text.rowsAboveCursor(afterResizeTo: columns) + picture.rows * max(1, parts)
        forget()
        return picture.removal + LineRenderer.up(above) + "\r\u{1B}[J"
    }

    /// The screen shows something else now.
    mutating func forget() {
        text.forget()
        picture = nil
    }
}
