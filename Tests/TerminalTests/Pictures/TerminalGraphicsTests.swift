import ImageCodecs
import Testing

@testable import Terminal

/// Which way pictures are shown, and when the terminal has to be asked.
struct TerminalGraphicsTests {
    /// Chooses with a terminal that answers as told; also tells whether it was asked, and whether for kitty's graphics.
    private func choose(
        _ environment: [String: String], preferred: GraphicsProtocol? = nil, isTerminal: Bool = true,
        cell: PixelSize? = PixelSize(width: 8, height: 16), answer: String = "\u{1B}[?1c",
        tmux: TmuxClient? = nil
    ) -> (TerminalGraphics, isAsked: Bool, forKitty: Bool) {
        var (isAsked, forKitty) = (false, false)
        let graphics = TerminalGraphics.choose(
            preferred: preferred,
            TerminalGraphics.Surroundings(
                environment: environment, isTerminal: isTerminal, cell: cell,
                askTerminal: { asksKitty in
                    #expect(!isAsked, "asked twice")
                    (isAsked, forKitty) = (true, asksKitty)
                    var answers = TerminalAnswers()
                    answers.take(answer.utf8)
                    return answers
                }, askTmux: { tmux }))
        return (graphics, isAsked, forKitty)
    }

    private static let yes = "\u{1B}_Gi=31;OK\u{1B}\\\u{1B}[?62c"
    private static let sixel = "\u{1B}[?1;0;64S\u{1B}[6;20;9t\u{1B}[?62;4c"

    @Test func terminalsThatNameThemselvesAreNotAsked() {
        let cases: [([String: String], GraphicsProtocol)] = [
            (["TERM": "xterm-kitty"], .kitty), (["TERM": "xterm-ghostty"], .kitty),
            (["TERM": "xterm-256color", "TERM_PROGRAM": "ghostty"], .kitty),
            (["TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"], .iterm),
            (["TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"], .iterm),
            (["TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"], .iterm),
            (["TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"], .blocks),
            (["TERM": "alacritty"], .blocks), (["TERM": "linux"], .blocks),
            (["TERM": "screen.xterm-256color"], .blocks),
        ]
        for (environment, graphics) in cases {
            let (found, isAsked, _) = choose(environment, answer: Self.sixel)
            #expect(found.graphics == graphics, "\(environment)")
            #expect(!isAsked)
        }
    }

    @Test func othersAreAsked() {
        let xterm = ["TERM": "xterm-256color"]
        #expect(choose(xterm, answer: Self.yes).0.graphics == .kitty)
        #expect(choose(xterm, answer: Self.sixel).0.graphics == .sixel)
        #expect(choose(xterm).0.graphics == .blocks)
        #expect(choose(xterm, answer: "").0.graphics == .blocks)
        // Both: kitty's is the better one.
        #expect(choose(xterm, answer: "\u{1B}_Gi=31;OK\u{1B}\\\u{1B}[?62;4c").0.graphics == .kitty)
    }

    @Test func whatIsInheritedFromTheTerminalAroundSaysNothing() {
        let environments = [
            ["TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"],
            ["TERM": "xterm-256color", "KITTY_WINDOW_ID": "1", "TERM_PROGRAM": "vscode"],
            ["TERM": "screen.xterm-kitty", "STY": "1.pts-0.host", "TERM_PROGRAM": "WezTerm"],
            ["TERM": "xterm-kitty", "ZELLIJ": "0"],
            ["TERM": "xterm-256color", "ZELLIJ": "0", "LC_TERMINAL": "iTerm2"],
        ]
        for environment in environments {
            let (found, isAsked, _) = choose(environment)
            #expect(isAsked && found.graphics == .blocks, "\(environment)")
            #expect(choose(environment, answer: Self.sixel).0.graphics == .sixel, "\(environment)")
        }
    }

    @Test func cellsAreMeasuredWhereTheSystemDoesNotKnow() {
        #expect(choose(["TERM": "foot"], answer: Self.sixel).0.cell == PixelSize(width: 8, height: 16))
        let found = choose(["TERM": "foot"], cell: nil, answer: Self.sixel).0
        #expect(found.cell == PixelSize(width: 9, height: 20))
        #expect(found.sixelColors == 64)
        #expect(choose(["TERM": "xterm-kitty"], cell: nil).0.cell == PixelSize(width: 10, height: 20))
        // Blocks have no use for it.
        #expect(!choose(["TERM": "linux"], cell: nil).isAsked)
    }

    @Test func nothingIsShownWhereNoTerminalIs() {
        for preferred in GraphicsProtocol.allCases + [nil] {
            #expect(
                choose(["TERM": "xterm-kitty"], preferred: preferred, isTerminal: false).0.graphics == .none)
            #expect(choose(["TERM": "dumb"], preferred: preferred).0.graphics == .none)
        }
        #expect(TerminalGraphics(graphics: .none).render(.gradient(4, 4), columns: 8, id: 1) == nil)
    }

    @Test func whatIsAskedForIsDone() {
        for preferred in GraphicsProtocol.allCases {
            let found = choose(["TERM": "xterm-kitty", "NO_COLOR": "1"], preferred: preferred).0
            #expect(found.graphics == preferred)
        }
    }

    @Test func withoutColoursOrUTF8ThereAreNoBlocks() {
        #expect(choose(["TERM": "linux", "NO_COLOR": "1"]).0.graphics == .none)
        #expect(choose(["TERM": "xterm-kitty", "NO_COLOR": "1"]).0.graphics == .kitty)
        #expect(choose(["TERM": "linux", "LANG": "de_DE.ISO-8859-1"]).0.graphics == .none)
        #expect(
            choose(["TERM": "linux", "LANG": "de_DE.ISO-8859-1", "LC_ALL": "C.UTF-8"]).0.graphics == .blocks)
        #expect(choose(["TERM": "linux", "LANG": "C"]).0.graphics == .blocks)
    }

    @Test func coloursAreAsManyAsTheTerminalHas() {
        #expect(!choose(["TERM": "xterm-256color"]).0.hasTrueColor)
        #expect(choose(["TERM": "xterm-256color", "COLORTERM": "truecolor"]).0.hasTrueColor)
        #expect(choose(["TERM": "alacritty"]).0.hasTrueColor)
        #expect(!choose(["TERM": "xterm", "TERM_PROGRAM": "Apple_Terminal"]).0.hasTrueColor)
    }

    @Test func tmuxIsAskedForTheTerminalAroundIt() {
        // Variables of the terminal that tmux was started from say nothing.
        let inside = ["TERM": "tmux-256color", "TMUX": "/tmp/x,1,0", "KITTY_WINDOW_ID": "1"]
        let kitty = TmuxClient(term: "xterm-kitty", allowsPassthrough: true)
        let found = choose(inside, tmux: kitty).0
        #expect(found.graphics == .kitty && found.passesThroughTmux)
        let closed = TmuxClient(term: "xterm-kitty", allowsPassthrough: false)
        #expect(choose(inside, tmux: closed).0.graphics == .blocks)
        #expect(choose(inside, tmux: nil).0.graphics == .blocks)
        #expect(choose(inside, answer: Self.sixel, tmux: closed).0.graphics == .sixel)
        #expect(!choose(inside, answer: Self.sixel, tmux: closed).0.passesThroughTmux)
        let other = TmuxClient(term: "xterm-256color", allowsPassthrough: true)
        #expect(choose(inside, tmux: other).0.graphics == .blocks)
        // Its pictures would land where tmux happens to have left the cursor.
        let inITerm = inside.merging(["LC_TERMINAL": "iTerm2"]) { $1 }
        #expect(choose(inITerm, tmux: other).0.graphics == .blocks)
        #expect(choose(inITerm, answer: Self.sixel, tmux: other).0.graphics == .sixel)
        let forced = choose(inITerm, preferred: .iterm, tmux: other).0
        #expect(forced.graphics == .iterm && forced.passesThroughTmux)
    }

    @Test func whereKittysQuestionMayBecomeATitleItIsNotPut() {
        let multiplexed = [
            ["TERM": "xterm-256color", "TMUX": "/tmp/x,1,0"], ["TERM": "tmux-256color"],
            ["TERM": "xterm-256color", "STY": "1.pts-0.host"],
        ]
        for environment in multiplexed {
            let (_, isAsked, forKitty) = choose(environment)
            #expect(isAsked && !forKitty, "\(environment)")
        }
        // Nor beside the questions about sixel pictures that are asked for.
        let forced = choose(["TERM": "screen"], preferred: .sixel)
        #expect(forced.isAsked && !forced.forKitty)
        #expect(choose(["TERM": "xterm-256color"]).forKitty)
    }

    @Test func tmuxsAnswerIsUnderstood() {
        #expect(
            TmuxClient(answer: "xterm-kitty;on;3.4")
                == TmuxClient(term: "xterm-kitty", allowsPassthrough: true))
        #expect(TmuxClient(answer: "xterm-kitty;all;3.4")?.allowsPassthrough == true)
        #expect(TmuxClient(answer: "xterm-kitty;off;3.4")?.allowsPassthrough == false)
        #expect(TmuxClient(answer: "xterm-kitty;;3.2a")?.allowsPassthrough == true)
        #expect(TmuxClient(answer: "xterm-kitty;;next-3.5")?.allowsPassthrough == false)
        #expect(TmuxClient(answer: "xterm-kitty;0;3.3a")?.allowsPassthrough == false)
        #expect(TmuxClient(answer: "no server running") == nil)
    }

    @Test func numbersOfPicturesFitTheColourOfAPlaceholder() {
        for _ in 0..<1000 { #expect((1...0xFFFFFF).contains(TerminalGraphics.makeID())) }
    }
}
