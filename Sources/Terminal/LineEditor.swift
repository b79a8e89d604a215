/// The line that is being typed: a value that keys change, without any terminal behind it.
///
/// Positions count grapheme clusters, so that no key leaves half a character. The text may have several lines:
/// Alt-Enter starts a new one, and after `"""` Enter does too, until a closing `"""`.
public struct LineEditor: Sendable {
    /// What the session should do after a key.
    public enum Action: Sendable, Equatable {
        /// Draw the line again, if it changed.
        case redraw
        case submit(String)
        /// Control-C on an empty line.
        case interrupt
        /// Control-D on an empty line.
        case end
        case suspend
        case openEditor
        case clearScreen
    }

    /// The text, cluster by cluster.
    public internal(set) var characters: [Character] = []
    /// Where the next character goes, from 0 to `characters.count`.
    public internal(set) var cursor = 0
    /// What was submitted before, oldest first.
    public internal(set) var history: InputHistory
    /// Set while Control-R searches the history.
    public internal(set) var search: HistorySearch?
    /// What Tab completes at the start of a line.
    public var completions: [String] = []

    var undoStack = UndoStack()
    var killRing = KillRing()
    /// Where Up and Down are in the history; `nil` on the line that is being typed.
    var recalled: Int?
    /// The typed line, while another one is shown in its place.
    var draft: [Character] = []

    public init(history: InputHistory = InputHistory()) {
        self.history = history
    }

    public var text: String { String(characters) }
    public var isEmpty: Bool { characters.isEmpty }

    /// Replaces the text, as an editor outside does; can be undone.
    public mutating func replace(with text: String) {
        undoStack.record(snapshot, as: .other)
        characters = Array(Self.clean(text))
        cursor = characters.count
    }

    /// Forgets the text and everything that belongs to it.
    public mutating func clear() {
        characters = []
        cursor = 0
        recalled = nil
        draft = []
        search = nil
        undoStack = UndoStack()
    }

    /// Inserts text at the cursor; marks join the cluster before it, and the cursor stays behind what was typed.
    mutating func insert(_ text: String) {
        let new = Array(Self.clean(text))
        guard !new.isEmpty else { return }
        let start = cursor
        characters.replaceSubrange(start..<start, with: new)
        cursor += new.count
        // The end first: joining there moves nothing before it.
        join(at: start + new.count)
        join(at: start)
    }

    mutating func remove(_ range: Range<Int>) {
        characters.removeSubrange(range)
        if cursor > range.upperBound {
            cursor -= range.count
        } else if cursor > range.lowerBound {
            cursor = range.lowerBound
        }
        join(at: range.lowerBound)
    }

    /// Swaps two neighbours.
    mutating func swap(_ first: Int) {
        characters.swapAt(first, first + 1)
        for index in [first + 2, first + 1, first] { join(at: index) }
    }

    /// Divides the text into clusters anew where two became neighbours that belong together.
    private mutating func join(at index: Int) {
        guard index > 0, index < characters.count else { return }
        let pair = Array(characters[index - 1...index])
        guard Array(String(pair)) != pair else { return }
        let before = String(characters[..<cursor])
        characters = Array(String(characters))
        cursor = min(before.count, characters.count)
    }

    var snapshot: UndoStack.Snapshot { .init(characters: characters, cursor: cursor) }

    private static func clean(_ text: String) -> String { TextSanitizer.sanitize(text) }

    // MARK: - Places in the text

    /// The range of the cursor's own line, without its line feed.
    var currentLine: Range<Int> {
        let start = characters[..<cursor].lastIndex(of: "\n").map { $0 + 1 } ?? 0
        let end = characters[cursor...].firstIndex(of: "\n") ?? characters.count
        return start..<end
    }

    /// Where the word ends that the cursor is in or before.
    var nextWordEnd: Int {
        var index = cursor
        while index < characters.count, !Self.isWord(characters[index]) { index += 1 }
        while index < characters.count, Self.isWord(characters[index]) { index += 1 }
        return index
    }

    /// Where the word starts that the cursor is in or behind.
    var previousWordStart: Int {
        var index = cursor
        while index > 0, !Self.isWord(characters[index - 1]) { index -= 1 }
        while index > 0, Self.isWord(characters[index - 1]) { index -= 1 }
        return index
    }

    /// Where the run of anything but white space starts that the cursor is behind.
    var previousBlankStart: Int {
        var index = cursor
        while index > 0, characters[index - 1].isWhitespace { index -= 1 }
        while index > 0, !characters[index - 1].isWhitespace { index -= 1 }
        return index
    }

    private static func isWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_"
    }
}
