/// Finds the name that a slip of the pen meant.
enum NearestName {
    /// The candidate that the name begins, or the one with the fewest edits, if those are few for the name's length.
    static func of(_ name: String, among candidates: some Collection<String>) -> String? {
        if !name.isEmpty, let begun = candidates.filter({ $0.hasPrefix(name) }).min() { return begun }
        let ranked = candidates.map { (distance(name, $0), $0) }.min { $0 < $1 }
        guard let (distance, candidate) = ranked else { return nil }
        return distance <= max(1, min(name.count, candidate.count) / 2) ? candidate : nil
    }

    /// Insertions, deletions, replacements and swaps of neighbours between the two.
    static func distance(_ from: String, _ to: String) -> Int {
        let from = Array(from.utf8.prefix(64)), to = Array(to.utf8.prefix(64))
        var rows = [Array(0...to.count)]
        for i in from.indices {
            var row = [i + 1]
            for j in to.indices {
                var best = min(rows[i][j] + (from[i] == to[j] ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, from[i] == to[j - 1], from[i - 1] == to[j] {
                    best = min(best, rows[i - 1][j - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[from.count][to.count]
    }
}
