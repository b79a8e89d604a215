import ImageCodecs

/// Pictures of the character for an upper half block: its colour is the upper pixel, the ground's the lower one.
struct HalfBlocks {
    let hasTrueColor: Bool

    /// The rows, each from the beginning of a row, down to the beginning of the row below.
    func text(_ bitmap: Bitmap, _ area: CellArea) -> String {
        let picture = bitmap.flattened(over: .black).resized(width: area.columns, height: 2 * area.rows)
        var text = ""
        text.reserveCapacity(40 * area.columns * area.rows)
        for row in 0..<area.rows {
            var last: (upper: String, lower: String) = ("", "")
            for column in 0..<area.columns {
                let upper = color(picture, column, 2 * row)
                let lower = color(picture, column, 2 * row + 1)
                switch (upper == last.upper, lower == last.lower) {
                case (true, true): break
                case (false, true): text += "\u{1B}[38;\(upper)m"
                case (true, false): text += "\u{1B}[48;\(lower)m"
                case (false, false): text += "\u{1B}[38;\(upper);48;\(lower)m"
                }
                last = (upper, lower)
                text += "\u{2580}"
            }
            text += "\u{1B}[0m\u{1B}[K\r\n"
        }
        return text
    }

    /// A pixel's colour as the sequences name it.
    private func color(_ picture: Bitmap, _ x: Int, _ y: Int) -> String {
        let start = (y * picture.width + x) * 3
        let color = Bitmap.Color(
            red: picture.samples[start], green: picture.samples[start + 1], blue: picture.samples[start + 2])
        if hasTrueColor { return "2;\(color.red);\(color.green);\(color.blue)" }
        return "5;\(TerminalPalette.index(color, x: x, y: y))"
    }
}
