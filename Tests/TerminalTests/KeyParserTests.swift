import Testing

@testable import Terminal

@Suite struct KeyParserTests {
    private func keys(_ text: String) -> [Key] {
        var parser = KeyParser()
        let keys = parser.parse(text.utf8)
        #expect(!parser.isIncomplete)
        return keys
    }

    @Test func charactersComeScalarByScalar() {
        #expect(keys("aé日👩") == ["a", "é", "日", "👩"].map { Key(.scalar($0)) })
    }

    @Test func controlCharactersAreKeysWithControl() {
        #expect(
            keys("\u{01}\u{03}\u{04}\u{07}\u{1A}\u{1F}") == ["a", "c", "d", "g", "z", "_"].map(Key.control))
        #expect(keys("\r\n\t\u{7F}") == [Key(.enter), Key(.enter), Key(.tab), Key(.backspace)])
    }

    @Test(arguments: [
        ("\u{1B}[A", Key(.up)), ("\u{1B}OA", Key(.up)), ("\u{1B}[1;5D", Key(.left, .control)),
        ("\u{1B}[1;3C", Key(.right, .alt)), ("\u{1B}[H", Key(.home)), ("\u{1B}OF", Key(.end)),
        ("\u{1B}[3~", Key(.delete)), ("\u{1B}[1~", Key(.home)), ("\u{1B}[5~", Key(.pageUp)),
        ("\u{1B}[13;2u", Key(.enter, .shift)), ("\u{1B}[99;5u", .control("c")),
        ("\u{1B}[27;2;13~", Key(.enter, .shift)), ("\u{1B}\r", Key(.enter, .alt)), ("\u{1B}b", .alt("b")),
        ("\u{1B}\u{7F}", Key(.backspace, .alt)), ("\u{1B}é", .alt("é")), ("\u{1B}\u{1B}[D", Key(.left, .alt)),
        ("\u{1B}[15~", Key(.unknown)), ("\u{1B}[Z", Key(.tab, .shift)), ("\u{1B}OM", Key(.enter)),
        // A mouse's button, which another program left turned on, is no Enter.
        ("\u{1B}[<0;9;9M", Key(.unknown)), ("\u{1B}[<0;9;9m", Key(.unknown)),
        ("\u{1B}[32;9;9M", Key(.unknown)),
    ])
    func sequencesAreKeys(sequence: String, key: Key) {
        #expect(keys(sequence) == [key])
    }

    @Test func everySplitGivesTheSameKeys() {
        let bytes = Array("aé\u{1B}[1;5C\u{1B}OB\u{1B}[200~x\r\ny\u{1B}[201~👩\u{1B}x\u{1B}]0;t\u{1B}\\z".utf8)
        var whole = KeyParser()
        let expected = whole.parse(bytes)
        #expect(expected.count == 8)
        for split in 0...bytes.count {
            var parser = KeyParser()
            #expect(parser.parse(bytes[..<split]) + parser.parse(bytes[split...]) == expected)
        }
        var parser = KeyParser()
        #expect(bytes.flatMap { parser.parse([$0]) } == expected)
    }

    @Test func pastesAreOneKeyWithoutControlCharacters() {
        #expect(keys("\u{1B}[200~a\r\nb\u{1B}[31m\tc\u{1B}[201~") == [Key(.paste("a\nb[31m\tc"))])
    }

    @Test func longPastesComeInPartsAndLoseNothing() {
        let text = "a" + String(repeating: "日本語 ", count: KeyParser.pasteLimit / 5)
        let all = keys("\u{1B}[200~" + text + "\u{1B}[201~").map { key in
            if case .paste(let part) = key.name { part } else { "?" }
        }
        #expect(all.count > 1)
        #expect(all.joined() == text)
    }

    @Test func aLoneEscapeIsAKeyAfterAPause() {
        var parser = KeyParser()
        #expect(parser.parse([0x1B]).isEmpty)
        #expect(parser.isIncomplete)
        #expect(parser.flush() == [Key(.escape)])
        #expect(parser.parse("[".utf8) == [Key(.scalar("["))])
    }

    @Test func halfACharacterWaitsForTheOtherHalf() {
        for text in ["é", "日", "👩"] {
            let bytes = Array(text.utf8)
            for cut in 1..<bytes.count {
                var parser = KeyParser()
                #expect(parser.parse(bytes[..<cut]).isEmpty)
                // No pause ends it,
                #expect(!parser.isIncomplete)
                #expect(parser.flush().isEmpty)
                var other = parser
                #expect(parser.parse(bytes[cut...]) == text.unicodeScalars.map { Key(.scalar($0)) })
                // but whatever is not its other half.
                #expect(other.parse("a".utf8) == [Key(.scalar("\u{FFFD}")), Key(.scalar("a"))])
            }
        }
    }

    @Test func answersOfTheTerminalAreSwallowed() {
        #expect(
            keys("\u{1B}]11;rgb:0/0/0\u{07}a\u{1B}P1$r0m\u{1B}\\b") == [Key(.scalar("a")), Key(.scalar("b"))])
    }

    @Test func brokenInputIsReplacedAndReadingGoesOn() {
        var parser = KeyParser()
        let keys = parser.parse([0xC3, 0x41, 0xFF, 0xE0, 0x80, 0x80, 0x42])
        #expect(keys.last == Key(.scalar("B")))
        #expect(keys.contains(Key(.scalar("A"))))
        #expect(keys.contains(Key(.scalar("\u{FFFD}"))))
    }

    @Test func noBytesTrapTheParser() {
        var random = SystemRandomNumberGenerator()
        var parser = KeyParser()
        for _ in 0..<200 {
            _ = parser.parse((0..<100).map { _ in UInt8.random(in: 0...255, using: &random) })
            _ = parser.parse("\u{1B}[99999999999999999999;9999999999u".utf8)
            if Bool.random(using: &random) { _ = parser.flush() }
        }
    }
}
