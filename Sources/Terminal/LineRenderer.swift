/// Draws the input line, writing only what changed since it was drawn last.
///
/// A value: it returns what to write to the terminal and remembers what then stands there.
struct LineRenderer {
    typealias Cell = LineLayout.Cell

    private var rows: [[Cell]] = []
    private(set) var cursorRow = 0
    private var cursorColumn = 0
    private var columns = 80

    /// Whether something stands on the screen.
    var isDrawn: Bool { !rows.isEmpty }

    /// What brings the screen from what was drawn last to this layout.
    mutating func draw(_ layout: LineLayout, size: TerminalOutput.Size) -> String {
        let window = layout.window(height: size.rows)
        let change = draw(
            Array(window.rows), cursorRow: window.cursorRow, cursorColumn: layout.cursorColumn,
            columns: size.columns)
        // Several rows appear at once on terminals that know the mode; others skip it.
        return change.isLarge ? "\u{1B}[?2026h\(change.output)\u{1B}[?2026l" : change.output
    }

    /// The same for rows as they are, which must be no more than the screen has; whether more than a row changes.
    mutating func draw(
        _ new: [[Cell]], cursorRow newRow: Int, cursorColumn newColumn: Int, columns newColumns: Int
    ) -> (output: String, isLarge: Bool) {
        columns = newColumns
        var pen = Pen(row: cursorRow, column: cursorColumn, lastRow: max(rows.count - 1, 0), columns: columns)
        for (index, row) in new.enumerated() where index >= rows.count || rows[index] != row {
            let old = index < rows.count ? rows[index] : []
            let same = zip(old, row).prefix { $0 == $1 }.count
            pen.move(to: index, Self.width(row[..<same]))
            pen.write(row[same...])
            if Self.width(row[...]) < Self.width(old[...]) { pen.eraseRow() }
        }
        if rows.count > new.count {
            pen.move(to: new.count, 0)
            pen.eraseBelow()
        }
        pen.move(to: newRow, newColumn)
        let isLarge = rows != new && max(rows.count, new.count) > 1
        (rows, cursorRow, cursorColumn) = (new, newRow, newColumn)
        return (pen.output, isLarge)
    }

    /// The cursor was brought to where the drawn rows begin.
    mutating func beginAgain() { (cursorRow, cursorColumn) = (0, 0) }

    /// Leaves the drawn line as it stands and goes to the start of a fresh row below it.
    mutating func finish() -> String {
        guard isDrawn else { return "" }
        var pen = Pen(row: cursorRow, column: cursorColumn, lastRow: rows.count - 1, columns: columns)
        pen.move(to: rows.count - 1, Self.width(rows[rows.count - 1][...]))
        forget()
        return pen.output + "\r\n"
    }

    /// Takes the drawn line off the screen; the cursor is then where it began.
    mutating func erase() -> String {
        guard isDrawn else { return "" }
        defer { forget() }
        return Self.up(cursorRow) + "\r\u{1B}[J"
    }

    /// The same after the window's width changed, which made terminals wrap the drawn rows anew.
    mutating func erase(afterResizeTo newColumns: Int) -> String {
        guard isDrawn else { return "" }
        defer { forget() }
        return Self.up(rowsAboveCursor(afterResizeTo: newColumns)) + "\r\u{1B}[J"
    }

    /// How many rows the cursor is below the first one, after terminals wrapped them anew.
    func rowsAboveCursor(afterResizeTo newColumns: Int) -> Int {
        let columns = max(newColumns, 1)
        let above = rows[..<cursorRow].reduce(0) { $0 + Self.end(of: $1[...], wrappedTo: columns).row + 1 }
        guard rows.indices.contains(cursorRow) else { return above }
        let row = rows[cursorRow]
        var (before, width) = (0, 0)
        while before < row.count, width < cursorColumn {
            width += row[before].width
            before += 1
        }
        let cursor = Self.end(of: row[..<before], wrappedTo: columns)
        // Behind the text the cursor takes a column of its own.
        let own = before < row.count ? row[before].width : 1
        return above + cursor.row + (cursor.column + own > columns ? 1 : 0)
    }

    /// Where the cells end in rows of so many columns: one of two columns that does not fit goes to the next row.
    private static func end(of cells: ArraySlice<Cell>, wrappedTo columns: Int) -> (row: Int, column: Int) {
        var (row, column) = (0, 0)
        for cell in cells {
            if column + cell.width > columns { (row, column) = (row + 1, 0) }
            column += cell.width
        }
        return (row, column)
    }

    /// The screen shows something else now.
    mutating func forget() {
        (rows, cursorRow, cursorColumn) = ([], 0, 0)
    }

    private static func width(_ cells: ArraySlice<Cell>) -> Int { cells.reduce(0) { $0 + $1.width } }

    static func up(_ rows: Int) -> String { rows > 0 ? "\u{1B}[\(rows)A" : "" }

    /// The terminal's cursor, as it moves.
    private struct Pen {
        var row: Int
        var column: Int
        /// The lowest row that exists; those below are made by line feeds.
        var lastRow: Int
        let columns: Int
        var output = ""

        mutating func move(to newRow: Int, _ newColumn: Int) {
            // From the last column the cursor only moves back, so a wrap that is pending there does no harm.
            if newRow != row || newColumn < column {
                if newRow < row { output += LineRenderer.up(row - newRow) }
                let existing = min(newRow, lastRow)
                if existing > row { output += "\u{1B}[\(existing - row)B" }
                output += "\r"
                if newRow > lastRow {
                    output += String(repeating: "\n", count: newRow - lastRow)
                    lastRow = newRow
                }
                (row, column) = (newRow, 0)
            }
            if newColumn > column { output += "\u{1B}[\(newColumn - column)C" }
            column = newColumn
        }

        mutating func write(_ cells: ArraySlice<Cell>) {
            var isDim = false
            for cell in cells {
                if cell.isDim != isDim {
                    isDim = cell.isDim
                    output += isDim ? "\u{1B}[2m" : "\u{1B}[0m"
                }
                output.append(cell.character)
                column += cell.width
            }
            if isDim { output += "\u{1B}[0m" }
        }

        mutating func eraseRow() { if column < columns { output += "\u{1B}[K" } }

        mutating func eraseBelow() { output += "\u{1B}[J" }
    }
}
