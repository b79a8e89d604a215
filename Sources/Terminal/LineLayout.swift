/// The rows that an input line takes on the screen, and where the cursor is in them.
struct LineLayout: Equatable {
    struct Cell: Equatable {
        var character: Character
        var isDim = false

        var width: Int { DisplayWidth.of(character) }
    }

    private(set) var rows: [[Cell]] = [[]]
    private(set) var cursorRow = 0
    private(set) var cursorColumn = 0

    /// Lays out a text behind its prompt; `continuation` stands before each further line of the text.
    ///
    /// Rows are filled up to the last of `columns`. While the text is empty, the hint is shown dim behind the prompt.
    init(
        prompt: String, continuation: String, text: [Character], cursor: Int, hint: String = "", columns: Int
    ) {
        let columns = max(columns, 4)
        var width = 0
        func newRow() {
            rows.append([])
            width = 0
        }
        func put(_ cell: Cell) {
            let cellWidth = cell.width
            if width + cellWidth > columns { newRow() }
            rows[rows.count - 1].append(cell)
            width += cellWidth
        }
        func markCursor() {
            if width >= columns { newRow() }
            (cursorRow, cursorColumn) = (rows.count - 1, width)
        }

        for character in prompt { put(Cell(character: character)) }
        for (index, character) in text.enumerated() {
            if index == cursor { markCursor() }
            if character == "\n" {
                newRow()
                for character in continuation { put(Cell(character: character)) }
            } else if character == "\t" {
                for _ in 0..<DisplayWidth.tab { put(Cell(character: " ")) }
            } else {
                put(Cell(character: Self.shown(character)))
            }
        }
        if cursor >= text.count { markCursor() }
        if text.isEmpty, DisplayWidth.of(hint) < columns - width {
            for character in hint { put(Cell(character: character, isDim: true)) }
        }
    }

    /// A cluster without a joiner at its end, with which some terminals join what is drawn elsewhere next.
    private static func shown(_ character: Character) -> Character {
        guard character.unicodeScalars.last == "\u{200D}", character.unicodeScalars.count > 1 else {
            return character
        }
        return String(String.UnicodeScalarView(character.unicodeScalars.dropLast())).first ?? character
    }

    /// At most `height` rows, those around the cursor.
    func window(height: Int) -> (rows: ArraySlice<[Cell]>, cursorRow: Int) {
        let height = max(1, height)
        guard rows.count > height else { return (rows[...], cursorRow) }
        let first = min(max(0, cursorRow - height / 2), rows.count - height)
        return (rows[first..<first + height], cursorRow - first)
    }
}
