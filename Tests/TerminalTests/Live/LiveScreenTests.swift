import Testing

@testable import Terminal

/// What is written to the terminal, byte by byte.
@Suite struct LiveScreenTests {
    private static let size = TerminalOutput.Size(columns: 24, rows: 10)

    private func layout(_ text: String, columns: Int = 24) -> LineLayout {
        LineLayout(
            prompt: "> ", continuation: ". ", text: Array(text), cursor: text.count, columns: columns)
    }

    /// A picture of two rows of three letters.
    private func picture(_ letter: Character, number: Int, rows: Int = 2, removal: String = "")
        -> LiveScreen.Picture
    {
        let row = String(repeating: letter, count: 3) + "\r\n"
        return .init(
            drawing: .init(text: String(repeating: row, count: rows), area: CellArea(columns: 3, rows: rows)),
            number: number, isText: true, removal: removal)
    }

    @Test func withoutAPictureItWritesWhatTheLineRendererDoes() {
        var (screen, renderer) = (LiveScreen(), LineRenderer())
        for text in ["", "a", "a fox", "a f", "a line that is longer than the window"] {
            #expect(
                screen.draw(layout(text), size: Self.size) == renderer.draw(layout(text), size: Self.size))
        }
        #expect(screen.finish() == renderer.finish())
    }

    @Test func aStatusStandsBelowTheTextAndTheCursorInTheText() {
        var screen = LiveScreen()
        let output = screen.draw(layout("a"), status: "idle", size: Self.size)
        #expect(
            output == "\u{1B}[?2026h> a\r\n\u{1B}[2midle\u{1B}[0m\u{1B}[1A\r\u{1B}[3C\u{1B}[?2026l")
        // A key then writes itself alone, within what appears at once.
        #expect(
            screen.draw(layout("ab"), status: "idle", size: Self.size)
                == "\u{1B}[?2026hb\u{1B}[?2026l")
    }

    @Test func theFirstFrameMakesRoomAndTheNextOneIsDrawnInItsPlace() {
        var screen = LiveScreen()
        _ = screen.draw(layout("a"), status: "s", size: Self.size)
        let first = screen.draw(layout("a"), status: "s", picture: picture("A", number: 1), size: Self.size)
        #expect(
            first == "\u{1B}[?2026h\u{1B}[?25l\r\u{1B}[JAAA\r\nAAA\r\n> a\r\n\u{1B}[2ms\u{1B}[0m"
                + "\u{1B}[1A\r\u{1B}[3C\u{1B}[?25h\u{1B}[?2026l")
        let next = screen.draw(layout("a"), status: "s", picture: picture("B", number: 2), size: Self.size)
        // Nothing is erased, and the text below is not written again.
        #expect(
            next == "\u{1B}[?2026h\u{1B}[?25l\u{1B}[2A\rBBB\r\nBBB\r\n\u{1B}[3C\u{1B}[?25h\u{1B}[?2026l")
    }

    @Test func aKeyBetweenTwoFramesWritesNoPicture() {
        var screen = LiveScreen()
        _ = screen.draw(layout("a"), status: "s", picture: picture("A", number: 1), size: Self.size)
        let output = screen.draw(
            layout("ab"), status: "s", picture: picture("A", number: 1), size: Self.size)
        #expect(output == "\u{1B}[?2026hb\u{1B}[?2026l")
    }

    @Test func aPictureOfAnotherHeightDrawsEverythingAnew() {
        var screen = LiveScreen()
        let first = picture("A", number: 1, removal: "<gone>")
        _ = screen.draw(layout("a"), status: "s", picture: first, size: Self.size)
        let output = screen.draw(
            layout("a"), status: "s", picture: picture("B", number: 2, rows: 3), size: Self.size)
        #expect(
            output == "\u{1B}[?2026h\u{1B}[?25l\u{1B}[2A\r<gone>\u{1B}[JBBB\r\nBBB\r\nBBB\r\n> a\r\n"
                + "\u{1B}[2ms\u{1B}[0m\u{1B}[1A\r\u{1B}[3C\u{1B}[?25h\u{1B}[?2026l")
    }

    @Test func theScreenShowsThePictureTheTextAndTheStatus() {
        var (screen, model) = (LiveScreen(), TerminalModel(columns: 24, rows: 10))
        func show(_ text: String, _ status: String, _ picture: LiveScreen.Picture?) {
            model.write(
                screen.draw(layout(text), status: status, picture: picture, size: Self.size)
                    .replacing("\r\n", with: "\n").replacing("\n", with: "\r\n"))
        }
        show("", "waiting", nil)
        show("a fox", "draft 1/2", nil)
        show("a fox", "draft", picture("D", number: 1))
        show("a fox that reads a newspaper", "draft", picture("D", number: 1))
        show("a fox that reads a newspaper", "settled", picture("S", number: 2))
        #expect(model.lines == ["SSS", "SSS", "> a fox that reads a news", "paper", "settled"].fitted)
        show("a fox", "settled", picture("S", number: 2))
        #expect(model.lines == ["SSS", "SSS", "> a fox", "settled"])
        #expect(model.row == 2)
        #expect(model.column == 7)
        model.write(screen.finish() + "$")
        #expect(model.lines == ["SSS", "SSS", "> a fox", "settled", "$"])
        #expect(model.unknown.isEmpty)
    }

    @Test func aLongTextLeavesThePictureWhereItIs() {
        var (screen, model) = (LiveScreen(), TerminalModel(columns: 24, rows: 10))
        let text = (0..<40).map { "word\($0)" }.joined(separator: " ")
        let output = screen.draw(
            layout(text), status: "s", picture: picture("A", number: 1, rows: 6), size: Self.size)
        model.write(output)
        #expect(Array(model.lines.prefix(6)) == Array(repeating: "AAA", count: 6))
        #expect(model.lines.count == 10)
        #expect(model.lines.last == "s")
        #expect(model.row == 8)
    }

    @Test func erasingTakesThePictureAlong() {
        var (screen, model) = (LiveScreen(), TerminalModel(columns: 24, rows: 10))
        model.write("before\r\n")
        model.write(
            screen.draw(layout("a"), status: "s", picture: picture("A", number: 1), size: Self.size))
        model.write(screen.erase() + "after")
        #expect(model.lines == ["before", "after"])
        #expect(!screen.isDrawn)
    }

    @Test func afterTheWindowNarrowedAsManyRowsAreErasedAsItWrapped() {
        var screen = LiveScreen()
        _ = screen.draw(layout("a"), status: "s", picture: picture("A", number: 1), size: Self.size)
        // Three columns of letters in a window of two take two rows each.
        #expect(screen.erase(afterResizeTo: 2) == "\u{1B}[5A\r\u{1B}[J")
    }

    @Test func aWindowOfOneRowHasNoStatusAndNeverScrolls() {
        var screen = LiveScreen()
        let size = TerminalOutput.Size(columns: 24, rows: 1)
        for text in ["a", "ab", "a line that is longer than the window"] {
            let output = screen.draw(layout(text), status: "settled", size: size)
            #expect(!output.contains("\n") && !output.contains("settled"))
        }
        #expect(screen.draw(layout("a"), status: "s", size: .init(columns: 24, rows: 2)).contains("s"))
    }

    @Test func smallWindowsHaveNoRoomForAPicture() {
        #expect(LiveScreen.room(in: .init(columns: 80, rows: 24)) == .init(columns: 79, rows: 21))
        #expect(LiveScreen.room(in: .init(columns: 80, rows: 6)).rows == 0)
        #expect(LiveScreen.room(in: .init(columns: 7, rows: 24)).rows == 0)
    }
}

extension [String] {
    /// Lines as a window of 24 columns has them.
    fileprivate var fitted: [String] {
        reduce(into: []) { rows, line in
            if line == "paper", let last = rows.popLast() {
                let whole = last + line
                rows += [String(whole.prefix(24)), String(whole.dropFirst(24))]
            } else {
                rows.append(line)
            }
        }
    }
}
