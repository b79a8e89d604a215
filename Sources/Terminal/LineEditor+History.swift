/// A search through the typed lines, from the newest backwards.
public struct HistorySearch: Sendable, Equatable {
    public internal(set) var query = ""
    /// Index of the line that is shown; `nil` while nothing matches.
    public internal(set) var match: Int?
    /// Nothing has the query in it; so nothing has a longer one either.
    public internal(set) var hasFailed = false
    var saved: [Character]
    var savedCursor: Int
}

extension LineEditor {
    mutating func recallOlder() {
        switch recalled {
        case nil: recall(history.entries.indices.last)
        case .some(let index): if index > 0 { recall(index - 1) }
        }
    }

    mutating func recallNewer() {
        guard let index = recalled else { return }
        recall(index + 1 < history.entries.count ? index + 1 : nil)
    }

    /// Shows a line of the history, or with `nil` the one that is being typed.
    mutating func recall(_ index: Int?) {
        if recalled == nil {
            guard index != nil else { return }
            draft = characters
        }
        undoStack.record(snapshot, as: .other)
        recalled = index
        characters = index.map { Array(history.entries[$0]) } ?? draft
        cursor = characters.count
    }

    // MARK: - Search

    mutating func beginSearch() {
        search = HistorySearch(saved: characters, savedCursor: cursor)
    }

    /// Gives a key to the search; `nil` when it ends the search and is to be handled as usual.
    mutating func handleSearch(_ key: Key) -> Action? {
        guard var current = search else { return nil }
        switch (key.name, key.modifiers) {
        case (.scalar("r"), .control):
            find(&current, from: (current.match ?? history.entries.count) - 1, by: -1)
        case (.scalar("s"), .control): find(&current, from: (current.match ?? -1) + 1, by: 1)
        case (.scalar("c"), .control), (.scalar("g"), .control), (.escape, _):
            characters = current.saved
            cursor = current.savedCursor
            search = nil
            return .redraw
        case (.scalar(let scalar), []):
            current.query.unicodeScalars.append(
                contentsOf: TextSanitizer.sanitize(String(scalar)).unicodeScalars)
            if !current.hasFailed {
                current.hasFailed = !find(&current, from: current.match ?? history.entries.count - 1, by: -1)
            }
        case (.backspace, []):
            if !current.query.isEmpty { current.query.removeLast() }
            current.hasFailed =
                !current.query.isEmpty && !find(&current, from: history.entries.count - 1, by: -1)
        default:
            search = nil
            return nil
        }
        search = current
        return .redraw
    }

    /// Shows the next line that has the query in it; false where there is none.
    @discardableResult
    private mutating func find(_ search: inout HistorySearch, from start: Int, by step: Int) -> Bool {
        let entries = history.entries
        guard !search.query.isEmpty else { return true }
        let query = Array(search.query.lowercased().utf8)
        var index = start
        while entries.indices.contains(index) {
            let line = Array(entries[index].lowercased().utf8)
            if let place = Self.place(of: query, in: line) {
                search.match = index
                characters = Array(entries[index])
                cursor = min(String(decoding: line[..<place], as: UTF8.self).count, characters.count)
                recalled = nil
                return true
            }
            index += step
        }
        return false
    }

    /// Where the bytes of a query start in those of a line.
    private static func place(of query: [UInt8], in line: [UInt8]) -> Int? {
        guard let first = query.first, line.count >= query.count else { return nil }
        return (0...line.count - query.count).first { index in
            line[index] == first && line[index..<index + query.count] == query[...]
        }
    }
}
