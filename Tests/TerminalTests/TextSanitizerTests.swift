import Testing

@testable import Terminal

@Suite struct TextSanitizerTests {
    private static let hostile = [
        "\u{1B}[31mred\u{1B}[0m", "\u{1B}]0;title\u{07}", "\u{1B}]52;c;aGk=\u{1B}\\", "\u{9B}31m",
        "\u{9D}0;t\u{9C}",
        "a\u{202E}b\u{2066}c\u{2069}", "\u{1B}P1;2q\u{1B}\\x", "bell\u{07}\u{08}\u{7F}\u{00}",
        "a\r\nb\rc\n\rd",
        "\u{1B}\u{1B}[2J\u{1B}c", "tab\tkept\nline", "\u{200F}\u{061C}\u{FFF9}\u{E0001}", "👩\u{200D}💻 é 日本",
    ]

    private func isHarmless(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy {
            $0 == "\n" || $0 == "\t"
                || !($0.properties.generalCategory == .control || (0x202A...0x202E).contains($0.value)
                    || (0x2066...0x2069).contains($0.value))
        }
    }

    @Test func everyChunkingOfHostileTextIsHarmlessAndTheSame() {
        for text in Self.hostile {
            let scalars = Array(text.unicodeScalars)
            let whole = TextSanitizer.sanitize(text)
            #expect(isHarmless(whole))
            for first in 0...scalars.count {
                for second in first...scalars.count {
                    var sanitizer = TextSanitizer()
                    var result = ""
                    for chunk in [scalars[..<first], scalars[first..<second], scalars[second...]] {
                        var piece = String.UnicodeScalarView()
                        piece.append(contentsOf: chunk)
                        result += sanitizer.sanitize(String(piece))
                    }
                    #expect(Array(result.unicodeScalars) == Array(whole.unicodeScalars))
                }
            }
        }
    }

    @Test func everyControlCharacterIsLeftOut() {
        for value in (0..<0x20).map({ UInt32($0) }) + (0x7F..<0xA0).map({ UInt32($0) }) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let kept = TextSanitizer.sanitize("a" + String(scalar) + "b")
            let expected = [0x09: "a\tb", 0x0A: "a\nb", 0x0D: "a\nb"][value] ?? "ab"
            #expect(kept == expected)
        }
    }

    @Test func printableTextStays() {
        let text = "Ünïcödé 日本語 👩\u{200D}💻 🇩🇪 a\u{301}\n\tcode"
        #expect(TextSanitizer.sanitize(text) == text)
    }

    @Test func lineEndsBecomeLineFeeds() {
        #expect(TextSanitizer.sanitize("a\r\nb\rc\u{2028}d") == "a\nb\nc\nd")
        #expect(TextSanitizer.line(" a\r\n b\t\u{1B}c ") == "a b c")
    }
}
