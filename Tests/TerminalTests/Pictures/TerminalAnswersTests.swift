import Testing

@testable import Terminal

struct TerminalAnswersTests {
    private func read(_ text: String) -> TerminalAnswers {
        var answers = TerminalAnswers()
        answers.take(text.utf8)
        return answers
    }

    private static let kitty = "\u{1B}_Gi=31;OK\u{1B}\\\u{1B}[6;36;18t\u{1B}[?62;c"
    private static let xterm =
        "\u{1B}[?1;0;256S\u{1B}[?2;0;1000;800S\u{1B}[6;13;6t\u{1B}[?63;1;2;4;6;9;15;22c"

    @Test func withoutKittysQuestionNoStringIsSentThatMayBecomeATitle() {
        #expect(TerminalAnswers.question(asksKitty: true).contains("\u{1B}_Gi=31,"))
        let question = TerminalAnswers.question(asksKitty: false)
        for introducer in "_P]X^k" { #expect(!question.contains("\u{1B}\(introducer)")) }
        #expect(question.contains("\u{1B}[16t\u{1B}[c"))
    }

    @Test func kittyIsKnownByItsAnswer() {
        let answers = read(Self.kitty)
        #expect(answers.hasKitty && !answers.hasSixel && answers.isComplete)
        #expect(answers.cell == PixelSize(width: 18, height: 36))
    }

    @Test func sixelIsOneOfTheThingsThatATerminalCanDo() {
        let answers = read(Self.xterm)
        #expect(answers.hasSixel && !answers.hasKitty && answers.isComplete)
        #expect(answers.sixelColors == 256)
        #expect(answers.sixelLimit == PixelSize(width: 1000, height: 800))
        #expect(answers.cell == PixelSize(width: 6, height: 13))
        // The first number is the model, here a VT132.
        #expect(!read("\u{1B}[?4;6c").hasSixel)
        #expect(read("\u{1B}[?6c").isComplete)
    }

    @Test(arguments: [kitty, xterm, "typed\u{1B}[A" + kitty])
    func answersMayBeCutAnywhere(text: String) {
        let whole = read(text)
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count {
            var answers = TerminalAnswers()
            answers.take(bytes[..<cut])
            #expect(answers.isComplete == (cut == bytes.count))
            answers.take(bytes[cut...])
            #expect(answers == whole, "cut at \(cut)")
        }
    }

    @Test(arguments: [
        ("", ""), ("typed \r", ""), ("\u{1B}[A\u{1B}OB\u{1B}b", ""), ("日本語", ""),
        ("\u{1B}[1;5C\u{1B}[3~", ""), ("a", "\u{7F}b"), ("", "b\u{1B}[D"), ("\u{1B}", ""),
    ])
    func whatIsTypedMeanwhileIsSetAside(before: String, after: String) {
        for answer in [Self.kitty, Self.xterm, "\u{1B}[8;24;80t\u{1B}]11;rgb:0/0/0\u{07}\u{1B}[?1c"] {
            #expect(read(before + answer + after).typed == Array((before + after).utf8))
        }
    }

    @Test func refusalsAreNoConsent() {
        #expect(!read("\u{1B}_Gi=31;ENOTSUPPORTED:no\u{1B}\\\u{1B}[?1c").hasKitty)
        #expect(!read("\u{1B}_Gi=32;OK\u{1B}\\\u{1B}[?1c").hasKitty)
        #expect(read("\u{1B}[?1;3;0S\u{1B}[?1c").sixelColors == nil)
        #expect(read("\u{1B}_Gi=31,p=1;OK\u{1B}\\").hasKitty)
    }

    @Test(arguments: [
        "\u{1B}[6;0;0t", "\u{1B}[6;99999999999999999999;7t", "\u{1B}[6;-3;7t", "\u{1B}[6;;t", "\u{1B}[6;20t",
        "\u{1B}[?1;0;-5S", "\u{1B}[?1;0;99999999999999999999999S", "\u{1B}[?2;0;1;1S",
        "\u{1B}[?2;0;9999999;9999999S",
        "\u{1B}_\u{1B}_\u{1B}\\", "\u{1B}]52;c;AAAA\u{07}", "\u{1B}P1+r\u{1B}\\", "\u{1B}\u{1B}\u{1B}",
        "\u{1B}[\u{0}\u{7F}",
    ])
    func nonsenseIsPassedOver(text: String) {
        let answers = read(text + "\u{1B}[?1c")
        #expect(answers.isComplete)
        #expect(answers.cell == nil && answers.sixelLimit == nil && answers.sixelColors == nil)
        #expect(!answers.hasKitty && !answers.hasSixel)
    }

    @Test func endlessAnswersEnd() {
        for text in ["\u{1B}_G", "\u{1B}[", "\u{1B}]", "x", "\u{1B}[1;1H"] {
            var answers = TerminalAnswers()
            for _ in 0..<20_000 where !answers.isComplete { answers.take(text.utf8) }
            #expect(answers.isComplete, "\(text.debugDescription)")
        }
        var answers = TerminalAnswers()
        answers.take("\u{1B}_G".utf8)
        answers.take(repeatElement(0x41, count: 100_000))
        #expect(answers.isComplete && !answers.hasKitty && answers.typed.isEmpty)
    }

    @Test func randomBytesDoNotTrap() {
        var state: UInt64 = 1
        let alphabet = Array("\u{1B}[]_P\\?;0123456789cStGi=31;OK\u{07}x".utf8) + [0, 0x80, 0xFF]
        for _ in 0..<20_000 {
            var answers = TerminalAnswers()
            for _ in 0..<40 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                answers.take([alphabet[Int(state >> 33) % alphabet.count]])
            }
            if let cell = answers.cell {
                #expect((2...256).contains(cell.width) && (2...256).contains(cell.height))
            }
        }
    }
}
