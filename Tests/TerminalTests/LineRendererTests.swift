import Testing

@testable import Terminal

@Suite struct LineRendererTests {
    private func layout(_ text: String, cursor: Int? = nil, columns: Int, hint: String = "") -> LineLayout {
        let characters = Array(text)
        return LineLayout(
            prompt: ">>> ", continuation: "... ", text: characters, cursor: cursor ?? characters.count,
            hint: hint, columns: columns)
    }

    @Test func longLinesWrapAtTheEdge() {
        let layout = layout("abcdefghij", columns: 8)
        #expect(layout.rows.map { String($0.map(\.character)) } == [">>> abcd", "efghij"])
        #expect((layout.cursorRow, layout.cursorColumn) == (1, 6))
    }

    @Test func wideCharactersAreNotCut() {
        let layout = layout("abc日本", columns: 8)
        #expect(layout.rows.map { String($0.map(\.character)) } == [">>> abc", "日本"])
    }

    @Test func theCursorStandsOnAFreshRowWhenOneIsFull() {
        let layout = layout("abcd", columns: 8)
        #expect(layout.rows.count == 2)
        #expect((layout.cursorRow, layout.cursorColumn) == (1, 0))
    }

    @Test func furtherLinesHaveTheirOwnPrompt() {
        let layout = layout("a\n\tb", columns: 20)
        #expect(layout.rows.map { String($0.map(\.character)) } == [">>> a", "...     b"])
    }

    @Test func appendingACharacterWritesJustThat() {
        var renderer = LineRenderer()
        let size = TerminalOutput.Size(columns: 40, rows: 10)
        _ = renderer.draw(layout("hell", columns: 40), size: size)
        #expect(renderer.draw(layout("hello", columns: 40), size: size) == "o")
    }

    /// Whatever was drawn before, the screen shows the newest layout with the cursor in its place.
    @Test(arguments: [5, 8, 13, 30])
    func theScreenAlwaysShowsTheNewestLayout(columns: Int) {
        let texts = [
            "", "a", "abcd", "abcdefgh日本語", "日本語日本語日本語", "one\ntwo\nthree", "👩\u{200D}💻🇩🇪e\u{301}x",
            "a longer line with several words in it", "\n\n", "ab\n\ncd", "x\ty",
        ]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<60 {
            var model = TerminalModel(columns: columns, rows: 24)
            var renderer = LineRenderer()
            model.write("before\r\n")
            let start = model.row
            for _ in 0..<12 {
                let text = texts.randomElement(using: &random) ?? ""
                let cursor = Int.random(in: 0...text.count, using: &random)
                let layout = layout(text, cursor: cursor, columns: columns, hint: "hint")
                model.write(renderer.draw(layout, size: .init(columns: columns, rows: 20)))
                var expected = layout.rows.map { row in
                    var text = String(row.map(\.character))
                    while text.last == " " { text.removeLast() }
                    return text
                }
                while expected.last == "" { expected.removeLast() }
                #expect(Array(model.lines.dropFirst(start)) == expected)
                #expect(model.row == start + layout.cursorRow)
                #expect(model.column == layout.cursorColumn)
            }
            model.write(renderer.erase())
            #expect(model.lines.count <= start)
            #expect(model.unknown.isEmpty)
        }
    }

    @Test func linesTallerThanTheScreenShowThePartAroundTheCursor() {
        let text = (0..<50).map { "line \($0)" }.joined(separator: "\n")
        var model = TerminalModel(columns: 20, rows: 6)
        var renderer = LineRenderer()
        let size = TerminalOutput.Size(columns: 20, rows: 6)
        model.write(renderer.draw(layout(text, columns: 20), size: size))
        #expect(model.lines.count == 6)
        #expect(model.lines.last == "... line 49")
        model.write(renderer.draw(layout(text, cursor: 0, columns: 20), size: size))
        #expect(model.lines.first == ">>> line 0")
        #expect(model.row == 0)
    }

    @Test func aResizeErasesWhatTheTerminalWrappedAnew() {
        var renderer = LineRenderer()
        _ = renderer.draw(layout("abcdefghijklmnop", columns: 12), size: .init(columns: 12, rows: 10))
        // Rows of 12 and 8 columns become 2 + 2 on a terminal of 6; the cursor is 3 rows below the first.
        #expect(renderer.erase(afterResizeTo: 6) == "\u{1B}[3A\r\u{1B}[J")
        #expect(!renderer.isDrawn)
    }

    @Test func wideCharactersThatDoNotFitAtTheEdgeMakeMoreRows() {
        var renderer = LineRenderer()
        let text = String(repeating: "\u{65E5}", count: 27)
        _ = renderer.draw(layout(text, columns: 60), size: .init(columns: 60, rows: 10))
        // In 15 columns the prompt and 5 characters fit into the first row and 7 into each further one, so that the
        // cursor is behind the one that is left for the fifth.
        #expect(renderer.erase(afterResizeTo: 15) == "\u{1B}[4A\r\u{1B}[J")
        _ = renderer.draw(layout(text + "\u{65E5}ab", columns: 60), size: .init(columns: 60, rows: 10))
        // The first row was full, and becomes five; then comes one of two letters.
        #expect(renderer.erase(afterResizeTo: 15) == "\u{1B}[5A\r\u{1B}[J")
    }

    @Test func aCursorOnAWideCharacterGoesToTheNextRowWithIt() {
        var renderer = LineRenderer()
        // ">>> a" and five wide characters: the cursor is on the fifth, for which 14 columns have no room.
        _ = renderer.draw(
            layout("a" + String(repeating: "\u{65E5}", count: 5), cursor: 5, columns: 30),
            size: .init(columns: 30, rows: 10))
        #expect(renderer.erase(afterResizeTo: 14) == "\u{1B}[1A\r\u{1B}[J")
    }

    @Test func answersBreakBetweenWords() {
        var model = TerminalModel(columns: 12, rows: 12)
        var wrapper = AnswerWrapper(columns: 12)
        for piece in ["The sky", " is bl", "ue beca", "use of light.", "\n日本語日本語日本語\n", "abcdefghijklmnopq"] {
            model.write(
                wrapper.add(piece).split(separator: "\n", omittingEmptySubsequences: false).joined(
                    separator: "\r\n"))
        }
        #expect(
            model.lines == [
                "The sky is", "blue", "because of", "light.", "日本語日本", "語日本語", "abcdefghijk", "lmnopq",
            ])
    }

    @Test func codeIsLeftToTheTerminal() {
        var wrapper = AnswerWrapper(columns: 12)
        let code = "```swift\nlet aLongName = anotherLongName\n```\n"
        #expect(wrapper.add(code) == code)
        #expect(wrapper.add("and then words again") != "and then words again")
    }

    @Test func whatIsNoTerminalGetsTheTextAsItIs() {
        var wrapper = AnswerWrapper(columns: nil)
        let text = String(repeating: "word ", count: 100)
        #expect(wrapper.add(text) == text)
    }
}
