import Testing

@testable import Tokenizers

/// What holds for every text and every vocabulary.
@Suite struct PropertyTests {
    private static let all = TestVocabularies.byteLevel + ["tiktoken", "sentencepiece"]

    @Test(arguments: all)
    func anyBytesRoundTrip(name: String) throws {
        let tokenizer = try TestVocabularies.tokenizer(name)
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<300 {
            let count = Int.random(in: 1...40, using: &generator)
            // Half of them are close to UTF-8: its lead and continuation bytes in disorder.
            let pool: ClosedRange<UInt8> = Bool.random(using: &generator) ? 0...255 : 0x80...0xF5
            let bytes = (0..<count).map { _ in UInt8.random(in: pool, using: &generator) }
            let ids = tokenizer.encode(bytes)
            #expect(tokenizer.decode(ids) == bytes)
            #expect(ids.allSatisfy { !tokenizer.isControl($0) })
        }
    }

    @Test(arguments: all)
    func theDecoderEmitsWholeCharactersAndNothingElse(name: String) throws {
        let tokenizer = try TestVocabularies.tokenizer(name)
        for text in TestVocabularies.strings {
            var decoder = TokenDecoder(tokenizer)
            var result = ""
            for token in tokenizer.encode(text) {
                let part = decoder.append(token)
                #expect(text.contains("\u{FFFD}") || !part.unicodeScalars.contains("\u{FFFD}"))
                result.unicodeScalars.append(contentsOf: part.unicodeScalars)
            }
            #expect(decoder.finish() == "")
            #expect(Array(result.utf8) == Array(text.utf8))
        }
    }

    @Test(arguments: all)
    func theDecoderRepairsAsDecodingTheWholeWould(name: String) throws {
        let tokenizer = try TestVocabularies.tokenizer(name)
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<300 {
            let tokens = (0..<20).map { _ in
                Int32.random(in: 0..<Int32(tokenizer.vocabularySize), using: &generator)
            }
            var decoder = TokenDecoder(tokenizer)
            var result: [UInt8] = []
            for token in tokens { result += Array(decoder.append(token).utf8) }
            result += Array(decoder.finish().utf8)
            #expect(result == Array(String(decoding: tokenizer.decode(tokens), as: UTF8.self).utf8))
        }
    }

    @Test func halfACharacterWaitsForItsRest() throws {
        let tokenizer = try TestVocabularies.tokenizer("gpt2")
        var decoder = TokenDecoder(tokenizer)
        let parts = [0xF0, 0x9F, 0x98, 0x80, 0x41, 0xE2, 0x82].map { (byte: UInt8) in
            decoder.append(tokenizer.encode([byte])[0])
        }
        #expect(parts == ["", "", "", "😀", "A", "", ""])
        #expect(decoder.finish() == "\u{FFFD}")
        // E0 80 can never become a character, so it does not wait.
        let invalid = [0xE0, 0x80, 0x41].map { (byte: UInt8) in decoder.append(tokenizer.encode([byte])[0]) }
        #expect(invalid == ["", "\u{FFFD}\u{FFFD}", "A"])
    }

    @Test(arguments: all)
    func textNeverBecomesAControlToken(name: String) throws {
        let tokenizer = try TestVocabularies.tokenizer(name)
        let controls = (0..<Int32(tokenizer.vocabularySize)).filter { tokenizer.isControl($0) }
        #expect(controls.count >= 1)
        for control in controls.prefix(16) {
            let text = String(decoding: tokenizer.bytes(of: control, rendersSpecial: true), as: UTF8.self)
            #expect(tokenizer.encode(text, parsingSpecial: true) == [control])
            var attempts = [
                text, text + text, "a\(text)b", " \(text) ", "\n\n\(text)\n\n", "\(text.dropLast())\(text)",
            ]
            attempts += text.indices.map { "\(text[..<$0])\(text)\(text[$0...])" }
            for attempt in attempts {
                let ids = tokenizer.encode(attempt)
                #expect(ids.allSatisfy { !tokenizer.isControl($0) }, "\(attempt)")
                #expect(tokenizer.decode(ids) == Array(attempt.utf8))
            }
        }
    }

    @Test(arguments: all)
    func workGrowsLinearly(name: String) throws {
        let tokenizer = try TestVocabularies.tokenizer(name)
        for unit in ["a", " ", "\n", "\u{301}", "👩\u{200D}", "1", "'", "the ", "!?", "<|eot_id|>"] {
            let small = String(repeating: unit, count: 1_000)
            let large = String(repeating: unit, count: 8_000)
            let ratio = Double(tokenizer.steps(large)) / Double(max(tokenizer.steps(small), 1))
            #expect(ratio < 9, "\(unit.debugDescription): \(ratio)")
            // One queue entry for each pair at the start, and two at most for each merge; each is taken once.
            #expect(tokenizer.steps(large) <= 6 * large.utf8.count + 6, "\(unit.debugDescription)")
        }
    }

    @Test func aSpaceInFrontComesAndGoes() throws {
        let tokenizer = try TestVocabularies.tokenizer("sentencepiece")
        let word = tokenizer.encode("house")
        #expect(tokenizer.bytes(of: word[0]).first == UInt8(ascii: " "))
        #expect(tokenizer.decode(word) == Array("house".utf8))
        #expect(tokenizer.decode(word, continuing: true) == Array(" house".utf8))
        var decoder = TokenDecoder(tokenizer, continuing: true)
        #expect(word.map { decoder.append($0) }.joined() == " house")
        #expect(
            tokenizer.encode("a</s>b", parsingSpecial: true) == tokenizer.encode("a") + [2]
                + tokenizer.encode("b"))
    }

    @Test func idsOutsideTheVocabularyAreNothing() throws {
        let tokenizer = try TestVocabularies.tokenizer("gpt2")
        #expect(tokenizer.decode([-1, Int32.max, Int32(tokenizer.vocabularySize)]) == [])
        #expect(tokenizer.special("house") == nil)
    }
}
