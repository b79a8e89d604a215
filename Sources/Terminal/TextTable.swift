/// Rows of text whose columns stand below each other.
enum TextTable {
    /// The lines of a head and rows, each with as many cells as the head; cells are clean already.
    static func lines(_ head: [String], _ rows: [[String]]) -> [String] {
        let widths = head.indices.map { column in
            ([head] + rows).map { DisplayWidth.of($0[column]) }.max() ?? 0
        }
        return ([head] + rows).map { cells in
            let padded = zip(cells, widths).map { cell, width in
                cell + String(repeating: " ", count: width - DisplayWidth.of(cell))
            }
            return trimmed(padded.joined(separator: "  "))
        }
    }

    private static func trimmed(_ line: String) -> String {
        String(line.reversed().drop { $0 == " " }.reversed())
    }
}
