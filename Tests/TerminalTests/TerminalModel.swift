@testable import Terminal

/// A small terminal: enough of one to see what the renderer draws.
struct TerminalModel {
    let columns: Int
    private(set) var rows: [[Character?]]
    private(set) var row = 0
    private(set) var column = 0
    /// The last column was written; the next character goes to the next row.
    private var isWrapPending = false
    private(set) var unknown: [String] = []

    init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = Array(repeating: Array(repeating: " ", count: columns), count: rows)
    }

    /// The rows without the blanks at their ends, and without blank rows at the end.
    var lines: [String] {
        var lines = rows.map { row in
            var text = String(row.compactMap { $0 })
            while text.last == " " { text.removeLast() }
            return text
        }
        while lines.last == "" { lines.removeLast() }
        return lines
    }

    mutating func write(_ text: String) {
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\r": (column, isWrapPending) = (0, false)
            case "\n": lineFeed()
            case "\u{1B}": escape(&rest)
            default: put(cluster(from: scalar, &rest))
            }
        }
    }

    /// The cluster that starts with `scalar`.
    private func cluster(
        from scalar: Unicode.Scalar, _ rest: inout Substring.UnicodeScalarView.SubSequence
    ) -> Character {
        var text = String(scalar)
        while let next = rest.first, next.value >= 0x80, (text + String(next)).count == 1 {
            text.unicodeScalars.append(next)
            rest.removeFirst()
        }
        return text.first ?? " "
    }

    private mutating func put(_ character: Character) {
        let width = DisplayWidth.of(character)
        if isWrapPending || column + width > columns {
            column = 0
            lineFeed()
        }
        rows[row][column] = character
        if width == 2 { rows[row][column + 1] = nil }
        column += width
        if column >= columns { (column, isWrapPending) = (columns - 1, true) }
    }

    private mutating func lineFeed() {
        isWrapPending = false
        if row + 1 < rows.count {
            row += 1
        } else {
            rows.removeFirst()
            rows.append(Array(repeating: " ", count: columns))
        }
    }

    private mutating func escape(_ rest: inout Substring.UnicodeScalarView.SubSequence) {
        guard rest.popFirst() == "[" else { return unknown.append("ESC") }
        var parameters = ""
        while let scalar = rest.popFirst() {
            guard (0x40...0x7E).contains(scalar.value) else {
                parameters.unicodeScalars.append(scalar)
                continue
            }
            command(Character(scalar), parameters)
            return
        }
        unknown.append("unfinished")
    }

    private mutating func command(_ final: Character, _ parameters: String) {
        let count = max(1, Int(parameters) ?? 1)
        if !"mhl".contains(final) { isWrapPending = false }
        switch final {
        case "A": row = max(0, row - count)
        case "B": row = min(rows.count - 1, row + count)
        case "C": column = min(columns - 1, column + count)
        case "D": column = max(0, column - count)
        case "K": for index in column..<columns { rows[row][index] = " " }
        case "J":
            for index in column..<columns { rows[row][index] = " " }
            for below in row + 1..<max(rows.count, row + 1) {
                rows[below] = Array(repeating: " ", count: columns)
            }
        case "m", "h", "l": break
        default: unknown.append(parameters + String(final))
        }
    }
}
