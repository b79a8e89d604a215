/// A partition of rows into parts of about 64 KiB: it depends on sizes only, so that no sum's order depends on the
/// number of threads.
struct RowTiles {
    private let rows: Int
    private let rowsPerTile: Int

    /// Tiles of at most `limit` of the `rows`, of `columns` elements each.
    init(rows: Int, columns: Int, limit: Int = .max) {
        self.rows = rows
        rowsPerTile = min(limit, max(1, 16_384 / max(columns, 1)))
    }

    var count: Int { (rows + rowsPerTile - 1) / rowsPerTile }

    subscript(tile: Int) -> Range<Int> {
        tile * rowsPerTile..<min(rows, (tile + 1) * rowsPerTile)
    }
}
