/// Breaks a streamed answer between words, so that none is cut at the edge of the screen.
///
/// Text is written as it comes; a word that turns out not to fit is taken back and put on the next row. Code
/// between fences is left to the terminal, so that it can be copied as it is.
struct AnswerWrapper {
    /// `nil` leaves the text as it is.
    private(set) var columns: Int?
    /// Where the cursor is.
    private(set) var column = 0
    private var word = ""
    private var wordWidth = 0
    private var isInFence = false
    /// The beginning of the current line of the answer, to tell a fence by.
    private var lineStart = ""

    init(columns: Int?) { resize(to: columns) }

    /// The screen has this width from now on.
    mutating func resize(to columns: Int?) {
        // The last column stays free: there a terminal's cursor is in two places at once.
        self.columns = columns.map { max($0 - 1, 8) }
    }

    /// What to write for the next piece of sanitised text.
    mutating func add(_ text: String) -> String {
        var output = ""
        for character in text {
            if character == "\n" {
                endLine()
                output.append(character)
            } else {
                if lineStart.count < 3 { lineStart.append(character) }
                put(character, &output)
            }
        }
        return output
    }

    private mutating func endLine() {
        if lineStart == "```" { isInFence.toggle() }
        lineStart = ""
        column = 0
        endWord()
    }

    private mutating func put(_ character: Character, _ output: inout String) {
        let width = character == "\t" ? 8 - column % 8 : DisplayWidth.of(character)
        guard let columns, !isInFence, lineStart != "```" else {
            column += width
            output.append(character)
            return
        }
        if column + width > columns {
            let isSpace = character.isWhitespace
            breakRow(columns, width, isSpace, &output)
            if isSpace { return }
        }
        output.append(character)
        column += width
        if character.isWhitespace || width > 1 {
            endWord()
        } else {
            word.append(character)
            wordWidth += width
        }
    }

    /// Starts a row, to which the current word moves where it may.
    private mutating func breakRow(_ columns: Int, _ width: Int, _ isSpace: Bool, _ output: inout String) {
        if isSpace || wordWidth == 0 || wordWidth >= column || wordWidth + width > columns {
            endWord()
            output += "\n"
            column = 0
        } else {
            output += "\u{1B}[\(wordWidth)D\u{1B}[K\n" + word
            column = wordWidth
        }
    }

    private mutating func endWord() {
        word = ""
        wordWidth = 0
    }
}
