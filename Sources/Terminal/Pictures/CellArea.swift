import ImageCodecs

/// A size in pixels.
struct PixelSize: Sendable, Equatable {
    var width: Int
    var height: Int
}

/// The cells of a terminal that a picture takes.
struct CellArea: Sendable, Equatable {
    var columns: Int
    var rows: Int

    init(columns: Int, rows: Int) {
        (self.columns, self.rows) = (columns, rows)
    }

    /// The largest area within `columns` and `rows` in a picture's own proportions, as near as cells allow.
    init(fitting picture: PixelSize, columns: Int, rows: Int?, cell: PixelSize) {
        // The height of the picture in rows, for each column of its width.
        let slope =
            Double(picture.height) * Double(cell.width) / (Double(picture.width) * Double(cell.height))
        let limit = Double(min(max(rows ?? Int.max, 1), 10_000))
        self.rows = Int(min(limit, max(1, (Double(max(columns, 1)) * slope).rounded())))
        // Columns are finer than rows: what rounding the rows did to the proportions is mended here.
        self.columns = Int(min(Double(max(columns, 1)), max(1, (Double(self.rows) / slope).rounded())))
    }

    /// In pixels.
    func pixels(_ cell: PixelSize) -> PixelSize {
        PixelSize(width: columns * cell.width, height: rows * cell.height)
    }
}
