import Testing

@testable import Terminal

@Suite struct LineEditorTests {
    /// Types text and named keys, as a terminal would send them.
    @discardableResult
    private func type(_ bytes: String, _ editor: inout LineEditor) -> [LineEditor.Action] {
        var parser = KeyParser()
        return (parser.parse(bytes.utf8) + parser.flush()).map { editor.handle($0) }
            .filter { $0 != .redraw }
    }

    private func edited(_ bytes: String, history: [String] = []) -> LineEditor {
        var editor = LineEditor(history: InputHistory(history))
        type(bytes, &editor)
        return editor
    }

    private let left = "\u{1B}[D", right = "\u{1B}[C", up = "\u{1B}[A", down = "\u{1B}[B"

    @Test func marksJoinTheCharacterBeforeThem() {
        let editor = edited("ae\u{301}o\u{308}")
        #expect(editor.text == "ae\u{301}o\u{308}")
        #expect(editor.characters.count == 3)
        #expect(editor.cursor == 3)
    }

    @Test func joinedEmojiAreOneCharacter() {
        var editor = edited("x👩\u{200D}💻🇩🇪y")
        #expect(editor.characters.count == 4)
        type(left + "\u{7F}", &editor)
        #expect(editor.text == "x👩\u{200D}💻y")
        type("\u{7F}", &editor)
        #expect(editor.text == "xy")
        #expect(editor.cursor == 1)
    }

    @Test func insertingBeforeAMarkKeepsTheCursorInRange() {
        var editor = edited("ab")
        type(left, &editor)
        _ = editor.handle(Key(.paste("\u{301}")))
        #expect(editor.text == "a\u{301}b")
        #expect(editor.cursor == 1)
    }

    @Test func removingBetweenHalvesOfAClusterJoinsThem() {
        // Two letters of a flag with a space between them.
        var editor = edited("🇩 🇪")
        #expect(editor.characters.count == 3)
        type(left + "\u{7F}", &editor)
        #expect(editor.characters.count == 1)
        #expect(editor.cursor <= 1)
        type("x", &editor)
        #expect(editor.text.contains("🇩🇪"))
    }

    @Test func cursorKeysMoveByCharactersAndWords() {
        var editor = edited("one two  three")
        type("\u{1B}b", &editor)
        #expect(editor.cursor == 9)
        type("\u{1B}[1;5D", &editor)
        #expect(editor.cursor == 4)
        type("\u{1B}f", &editor)
        #expect(editor.cursor == 7)
        type("\u{01}", &editor)
        #expect(editor.cursor == 0)
        type(left + "\u{05}" + right, &editor)
        #expect(editor.cursor == 14)
    }

    @Test func killedTextIsYankedBack() {
        var editor = edited("one two three\u{17}\u{17}")
        #expect(editor.text == "one ")
        type("\u{19}", &editor)
        #expect(editor.text == "one two three")
        type("\u{15}", &editor)
        #expect(editor.isEmpty)
        type("\u{19}", &editor)
        #expect(editor.text == "one two three")
        type("\u{1B}y", &editor)
        #expect(editor.text == "two three")
    }

    @Test func killingToTheEndOfALineTakesItsLineFeedNext() {
        var editor = edited("ab\u{1B}\rcd" + up + "\u{01}")
        type("\u{0B}", &editor)
        #expect(editor.text == "\ncd")
        type("\u{0B}", &editor)
        #expect(editor.text == "cd")
    }

    @Test func undoGoesBackWordByWord() {
        var editor = edited("one two")
        type("\u{1F}", &editor)
        #expect(editor.text == "one ")
        type("\u{1F}\u{1F}", &editor)
        #expect(editor.text == "")
        type("\u{1F}", &editor)
        #expect(editor.text == "")
    }

    @Test func enterSubmitsAndKeepsTheLine() {
        var editor = LineEditor()
        #expect(type("hello\r", &editor) == [.submit("hello")])
        #expect(editor.isEmpty)
        #expect(editor.history.entries == ["hello"])
    }

    @Test func quotesHoldSeveralLines() {
        var editor = LineEditor()
        #expect(type("\"\"\"\rone\rtwo\"\"\"\r", &editor) == [.submit("one\ntwo")])
        #expect(type("\"\"\"one\"\"\"\r", &editor) == [.submit("one")])
        #expect(type("\"\"\"\"\"\r", &editor) == [])
    }

    @Test func altEnterBeginsALine() {
        var editor = LineEditor()
        #expect(type("one\u{1B}\rtwo\r", &editor) == [.submit("one\ntwo")])
    }

    @Test func pastedLinesAreNotSubmitted() {
        var editor = LineEditor()
        #expect(type("\u{1B}[200~one\ntwo\u{1B}[201~", &editor) == [])
        #expect(editor.text == "one\ntwo")
        type("\u{1F}", &editor)
        #expect(editor.isEmpty)
    }

    @Test func upAndDownMoveInTheTextBeforeTheHistory() {
        var editor = edited("one\u{1B}\rtwo", history: ["old"])
        type(up, &editor)
        #expect(editor.cursor == 3)
        type(up, &editor)
        #expect(editor.text == "old")
        type(down, &editor)
        #expect(editor.text == "one\ntwo")
    }

    @Test func theHistoryIsWalkedAndTheDraftKept() {
        var editor = edited("draft" + up + up + up, history: ["first", "second"])
        #expect(editor.text == "first")
        type(down, &editor)
        #expect(editor.text == "second")
        type(down + down, &editor)
        #expect(editor.text == "draft")
    }

    @Test func searchFindsOlderLines() {
        var editor = edited("\u{12}al", history: ["alpha one", "beta", "ALPHA two", "gamma"])
        #expect(editor.text == "ALPHA two")
        type("\u{12}", &editor)
        #expect(editor.text == "alpha one")
        type("\u{12}", &editor)
        #expect(editor.text == "alpha one")
        #expect(type("\r", &editor) == [.submit("alpha one")])
        #expect(editor.search == nil)
    }

    @Test func aSearchThatFailsGoesOnFromAShorterQuery() {
        var editor = edited("\u{12}betx", history: ["alpha", "beta"])
        #expect(editor.search?.hasFailed == true)
        type("y\u{7F}", &editor)
        #expect(editor.search?.hasFailed == true)
        type("\u{7F}", &editor)
        #expect(editor.search?.hasFailed == false)
        #expect(editor.text == "beta")
    }

    @Test func aLeftSearchRestoresTheLine() {
        var editor = edited("typed\u{12}bet", history: ["beta"])
        #expect(editor.text == "beta")
        type("\u{07}", &editor)
        #expect(editor.text == "typed")
        type("\u{12}bet" + left + "!", &editor)
        #expect(editor.text.contains("!"))
        #expect(editor.search == nil)
    }

    @Test func controlCClearsThenInterrupts() {
        var editor = LineEditor()
        #expect(type("abc\u{03}", &editor) == [])
        #expect(editor.isEmpty)
        #expect(type("\u{03}", &editor) == [.interrupt])
    }

    @Test func controlDDeletesThenEnds() {
        var editor = LineEditor()
        #expect(type("a\u{01}\u{04}", &editor) == [])
        #expect(editor.isEmpty)
        #expect(type("\u{04}", &editor) == [.end])
    }

    @Test func tabCompletesCommands() {
        var editor = LineEditor()
        editor.completions = ["/help", "/history", "/regenerate"]
        type("/re\t", &editor)
        #expect(editor.text == "/regenerate ")
        editor.clear()
        type("/h\t", &editor)
        #expect(editor.text == "/h")
    }

    @Test func noKeysTrapTheEditor() {
        let pieces = [
            "a", "é", "e\u{301}", "👩\u{200D}💻", "日", " ", "\r", "\u{1B}\r", left, right, up, down, "\u{7F}",
            "\u{04}x", "\u{0B}", "\u{15}", "\u{17}", "\u{19}", "\u{1B}y", "\u{14}", "\u{12}", "\u{1F}",
            "\"\"\"", "\t",
            "\u{1B}b", "\u{1B}f", "\u{1B}d", "\u{1B}[3~", "\u{301}", "\u{200D}", "\u{1B}[200~x\ny\u{1B}[201~",
            "\u{07}",
        ]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<40 {
            var editor = LineEditor(history: InputHistory(["one", "two\nlines", "é"]))
            for _ in 0..<200 {
                type(pieces.randomElement(using: &random) ?? "a", &editor)
                #expect((0...editor.characters.count).contains(editor.cursor))
                #expect(Array(editor.text) == editor.characters)
                _ = LineLayout(
                    prompt: "> ", continuation: ". ", text: editor.characters, cursor: editor.cursor,
                    columns: 7)
            }
        }
    }
}
