import Testing

@testable import Tokenizers

/// Files that are wrong are refused with a reason; nothing traps.
@Suite struct ValidationTests {
    private static let bytes = (0...255).map { (byte: UInt8) in [byte] }

    private func ggml(
        model: String = "gpt2", pre: String? = "gpt-2", tokens: [String] = ["a", "b", "ab"],
        scores: [Float]? = nil,
        types: [Int32]? = nil, merges: [String]? = ["a b"], eos: Int32? = nil
    ) throws(TokenizerError) -> Vocabulary {
        try Vocabulary(
            ggmlModel: model, pre: pre, tokens: tokens, scores: scores, types: types, merges: merges,
            bos: nil, eos: eos)
    }

    @Test func wrongPartsAreRefused() {
        #expect(
            throws: TokenizerError.unsupported(
                what: "tokenizer model (expected gpt2 or llama)", found: "bert")
        ) {
            try ggml(model: "bert")
        }
        #expect(throws: TokenizerError.unsupported(what: "pre-tokenizer", found: "qwen2")) {
            try ggml(pre: "qwen2")
        }
        #expect(throws: TokenizerError.missing("merges")) { try ggml(merges: nil) }
        #expect(throws: TokenizerError.missing("scores")) { try ggml(model: "llama", merges: nil) }
        #expect(throws: TokenizerError.missing("tokens")) { try ggml(tokens: []) }
        #expect(throws: TokenizerError.countMismatch(what: "token types", expected: 3, found: 2)) {
            try ggml(types: [1, 1])
        }
        #expect(throws: TokenizerError.countMismatch(what: "token scores", expected: 3, found: 1)) {
            try ggml(model: "llama", scores: [0])
        }
        #expect(throws: TokenizerError.invalidToken(id: 1, reason: "its score is NaN")) {
            try ggml(model: "llama", scores: [0, .nan, 0])
        }
        #expect(throws: TokenizerError.duplicateToken(text: "a", first: 0, second: 2)) {
            try ggml(tokens: ["a", "b", "a"])
        }
        #expect(throws: TokenizerError.idOutOfRange(what: "eos", id: 3, vocabularySize: 3)) {
            try ggml(eos: 3)
        }
        #expect(throws: TokenizerError.idOutOfRange(what: "eos", id: -1, vocabularySize: 3)) {
            try ggml(eos: -1)
        }
        #expect(throws: TokenizerError.invalidMerge(index: 1, text: "ba")) {
            try ggml(merges: ["a b", "b a"])
        }
        #expect(throws: TokenizerError.invalidMerge(index: 0, text: "ab")) { try ggml(merges: ["ab"]) }
        #expect(throws: TokenizerError.invalidMerge(index: 0, text: "a b c")) { try ggml(merges: ["a b c"]) }
        #expect(throws: TokenizerError.invalidToken(id: 0, reason: "\"a\" is no byte")) {
            try ggml(model: "llama", scores: [0, 0, 0], types: [6, 1, 1])
        }
        #expect(throws: TokenizerError.invalidToken(id: 1, reason: "5000 bytes long")) {
            try ggml(tokens: ["a", String(repeating: "b", count: 5000)], merges: [])
        }
        #expect(throws: TokenizerError.self) { try Tokenizer(ggml(model: "llama", scores: [0, 0, 0])) }
        #expect(throws: TokenizerError.duplicateToken(text: "<x>", first: 0, second: 1)) {
            try Tokenizer(ggml(tokens: ["<x>", "<x>"], types: [3, 3], merges: []))
        }
    }

    @Test func everyErrorIsASentenceWithItsEvidence() {
        let errors: [TokenizerError] = [
            .unsupported(what: "kind", found: "found"), .malformed(format: "found", offset: 7, reason: "why"),
            .missing("found"), .tooLarge(what: "found", limit: 1, found: 2),
            .countMismatch(what: "found", expected: 1, found: 2),
            .idOutOfRange(what: "found", id: 1, vocabularySize: 1),
            .duplicateToken(text: "found", first: 1, second: 2), .invalidToken(id: 1, reason: "found"),
            .invalidMerge(index: 1, text: "found"),
        ]
        #expect(errors.allSatisfy { "\($0)".contains("found") && "\($0)".count > 15 })
    }

    @Test func missingSettingsFollowTheKindOfModel() throws {
        let llama3 = ["a", "<|begin_of_text|>", "<|eot_id|>"]
        let early = try Vocabulary(
            ggmlModel: "gpt2", pre: nil, tokens: llama3, scores: nil, types: [1, 3, 3], merges: [], bos: 1,
            eos: 2)
        #expect(early.model == .bytePair(.llama3) && early.options.addsBOS && early.options.ignoresMerges)
        #expect(try ggml(pre: nil).model == .bytePair(.gpt2))
        #expect(try !ggml().options.addsBOS)
        let pieces = try Vocabulary(
            ggmlModel: "llama", pre: nil, tokens: ["<unk>", "<s>", "</s>", "\u{2581}a"],
            scores: [0, 0, 0, 0],
            types: [2, 3, 3, 1], merges: nil, bos: nil, eos: nil)
        #expect(pieces.options.bos == 1 && pieces.options.eos == 2)
        #expect(pieces.options.addsBOS && pieces.options.addsSpacePrefix)
        #expect(try Tokenizer(pieces).encode("a\u{2581}") == [3, 0])
    }

    @Test func tokensThatLookLikeControlTokensAreControlTokens() throws {
        // Some converters mark them as text; text must not become them even so.
        let tokens = ["<", "|", "e", ">", "<|e|>", "<|im_end|>", "</s>", "e e"]
        let vocabulary = try ggml(tokens: tokens, types: [1, 1, 1, 1, 4, 1, 1, 4], merges: [])
        let tokenizer = try Tokenizer(vocabulary)
        #expect(tokenizer.encode("<|e|>") == [0, 1, 2, 1, 3])
        #expect(tokenizer.encode("<|e|>", parsingSpecial: true) == [4])
        #expect(tokenizer.endOfGeneration == [5, 6])
        #expect(tokenizer.isControl(5) && tokenizer.isControl(6))
        // A user-defined token is text, and is taken as a whole wherever it stands.
        #expect(tokenizer.encode("ee ee") == [2, 7, 2])
    }

    @Test func theLongestSpecialTokenWins() throws {
        let tokens = ["a", "b", "<x>", "<x>a", "<x>ab<"]
        let tokenizer = try Tokenizer(ggml(tokens: tokens, types: [1, 1, 3, 3, 3], merges: []))
        #expect(tokenizer.encode("a<x>ab<x>b", parsingSpecial: true) == [0, 4, 1])
        #expect(tokenizer.encode("<x>aab<x>b<x>ab", parsingSpecial: true) == [3, 0, 1, 2, 1, 3, 1])
    }

    @Test func aWholeWordGoesBeforeMergesInLlama3Alone() throws {
        // No merge leads to "abc".
        let tokens = ["a", "b", "c", "ab", "abc"]
        #expect(try Tokenizer(ggml(pre: "llama-bpe", tokens: tokens)).encode("abc") == [4])
        #expect(try Tokenizer(ggml(pre: "gpt-2", tokens: tokens)).encode("abc") == [3, 2])
        #expect(try Tokenizer(ggml(pre: "smaug-bpe", tokens: tokens)).encode("abc") == [3, 2])
    }

    @Test func piecesMayHoldSpaces() throws {
        let vocabulary = try Vocabulary(
            ggmlModel: "llama", pre: nil, tokens: ["<unk>", "a", "\u{2581}", "b", "a\u{2581}", "a\u{2581}b"],
            scores: [0, 0, 0, 0, -1, -2], types: [2, 1, 1, 1, 1, 1], merges: nil, bos: nil, eos: nil,
            addsSpacePrefix: false)
        #expect(try Tokenizer(vocabulary).encode("a bb a") == [5, 3, 2, 1])
    }

    @Test func aMergeNeverGivesAControlToken() throws {
        let tokenizer = try Tokenizer(
            ggml(tokens: ["<", "/s>", "</s>"], types: [1, 1, 3], merges: ["< /s>"]))
        #expect(tokenizer.encode("</s>").allSatisfy { !tokenizer.isControl($0) })
    }

    @Test func bytesThatTheVocabularyLacksAreDropped() throws {
        // As the references do with SmolLM's, which lacks bytes that its corpus never had.
        #expect(try Tokenizer(ggml()).encode("abcab") == [2, 2])
    }

    @Test func wrongTokenizerJSONIsRefused() throws {
        let valid = String(decoding: try TestData.fixture("llama3.json"), as: UTF8.self)
        func load(_ text: String) throws { _ = try Vocabulary(tokenizerJSON: Array(text.utf8), config: nil) }
        func refuses(_ old: String, _ new: String, sourceLocation: SourceLocation = #_sourceLocation) {
            let changed = valid.replacing(old, with: new, maxReplacements: 1)
            #expect(changed != valid, sourceLocation: sourceLocation)
            #expect(throws: TokenizerError.self, sourceLocation: sourceLocation) { try load(changed) }
        }
        try load(valid)
        refuses(#""type":"BPE""#, #""type":"Unigram""#)
        refuses(#"\\p{N}{1,3}"#, #"(a+)+\\p{N}{1,3}"#)
        refuses(#""behavior":"Isolated""#, #""behavior":"Removed""#)
        refuses(#""use_regex":false"#, #""use_regex":true"#)
        refuses(#""add_prefix_space":false"#, #""add_prefix_space":true"#)
        refuses(#""normalizer":null"#, #""normalizer":{"type":"NFC"}"#)
        refuses(#""!":8"#, #""!":9"#)
        refuses(#""!":8"#, #""!":2147483648"#)
        refuses(#""!":8"#, #""!":-1"#)
        refuses(#""!":8"#, #""!":8.5"#)
        refuses(#""!":8,"#, "")
        refuses(#""!":8"#, #""!":8,"!":8"#)
        refuses(#""!":8"#, #""\ud800":8"#)
        refuses(#""!":8"#, #""\ud800A":8"#)
        refuses(#"["Ġ","t"]"#, #"["Ġ","Ġnothing"]"#)
        refuses(#"["Ġ","t"]"#, #"["Ġ"]"#)
        #expect(throws: TokenizerError.self) { try load(String(repeating: "[", count: 100_000)) }
        #expect(throws: TokenizerError.self) { try load(String(repeating: #"{"a":"#, count: 100_000)) }
        let endless = "\"" + String(repeating: "a", count: Vocabulary.Limit.totalBytes) + "\""
        #expect(throws: TokenizerError.self) { try load(endless) }
        #expect(throws: TokenizerError.self) { try load("") }
        #expect(throws: TokenizerError.self) { try load("\u{FEFF}{}") }
    }

    @Test func tokensAreToldApartByTheirBytes() throws {
        let valid = String(decoding: try TestData.fixture("llama3.json"), as: UTF8.self)
        let count = try Vocabulary(tokenizerJSON: Array(valid.utf8), config: nil).count
        // ś in one scalar and in two: Unicode calls them equal.
        let added = #"{"id":\#(count),"content":"\u015b"},{"id":\#(count + 1),"content":"s\u0301"},"#
        let both = valid.replacing(
            #""added_tokens":["#, with: #""added_tokens":["# + added, maxReplacements: 1)
        let tokenizer = try Tokenizer(Vocabulary(tokenizerJSON: Array(both.utf8), config: nil))
        #expect(tokenizer.vocabularySize == count + 2)
        #expect(tokenizer.encode("s\u{301}\u{15B}") == [Int32(count + 1), Int32(count)])
    }

    @Test func damagedJSONIsNamedWithItsPlace() {
        func error(_ text: String, config: String? = nil) -> TokenizerError? {
            do throws(TokenizerError) {
                _ = try Vocabulary(tokenizerJSON: Array(text.utf8), config: config.map { Array($0.utf8) })
                return nil
            } catch {
                return error
            }
        }
        #expect(
            error(#"{"model" 1}"#)
                == .malformed(format: "tokenizer.json", offset: 9, reason: "expected “:”, found “1”"))
        #expect(
            error(#"{"model":{"a":1,"a":2}}"#)
                == .malformed(
                    format: "tokenizer.json", offset: 16, reason: "the name “a” occurs twice"))
        #expect(
            error(String(repeating: "[", count: 33))
                == .malformed(format: "tokenizer.json", offset: 32, reason: "more than 32 levels"))
        #expect(
            error(String(repeating: " ", count: Vocabulary.Limit.totalBytes + 1))
                == .tooLarge(
                    what: "tokenizer.json", limit: Vocabulary.Limit.totalBytes,
                    found: Vocabulary.Limit.totalBytes + 1))
    }

    @Test func wrongTiktokenFilesAreRefused() throws {
        let valid = String(decoding: try TestData.fixture("tiktoken.model"), as: UTF8.self)
        func refuses(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
            #expect(throws: TokenizerError.self, sourceLocation: sourceLocation) {
                try Vocabulary(tiktoken: Array(text.utf8))
            }
        }
        refuses("")
        refuses("AA== 0\n")  // the other bytes are missing
        refuses(valid.replacing("AA== 0\n", with: "AA== 1\n"))
        refuses(valid.replacing("AA== 0\n", with: "AA= 0\n"))
        refuses(valid.replacing("AA== 0\n", with: "A*== 0\n"))
        refuses(valid.replacing("AA== 0\n", with: "==== 0\n"))
        refuses(valid.replacing("AA== 0\n", with: "AA== 0 0\n"))
        refuses(valid.replacing("AA== 0\n", with: "AQ== 0\n"))  // the byte 1 twice
        refuses(valid.replacing("AA== 0\n", with: String(repeating: "AAAA", count: 100) + " 0\n"))
        refuses("AA== 99999999999999999999\n")
    }

    @Test(arguments: ["llama3.json", "tiktoken.model", "sentencepiece.model"])
    func damagedFilesNeverTrap(name: String) throws {
        let valid = try TestData.fixture(name)
        func load(_ bytes: [UInt8]) {
            do throws(TokenizerError) {
                let vocabulary =
                    switch name {
                    case "llama3.json": try Vocabulary(tokenizerJSON: bytes, config: nil)
                    case "tiktoken.model": try Vocabulary(tiktoken: bytes)
                    default: try Vocabulary(sentencePieceModel: bytes)
                    }
                _ = try Tokenizer(vocabulary).encode("Hello, wörld! 123 \u{1F680}", parsingSpecial: true)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
        for count in stride(from: 0, to: valid.count, by: 97) { load(Array(valid.prefix(count))) }
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<150 {
            var bytes = valid
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 2: bytes.removeSubrange(place..<min(place + 9, bytes.count))
                default: bytes.insert(contentsOf: bytes[place..<min(place + 30, bytes.count)], at: place)
                }
            }
            load(bytes)
        }
    }

    @Test func everyPrefixOfATokenizerJSONIsRefused() throws {
        let valid = try TestData.fixture("gpt2.json").reversed().drop { $0 == 10 }.reversed() as [UInt8]
        for count in stride(from: 0, to: valid.count, by: 61) + Array(valid.count - 40..<valid.count) {
            #expect(throws: TokenizerError.self) {
                try Vocabulary(tokenizerJSON: Array(valid.prefix(count)), config: nil)
            }
        }
    }

    @Test func plainPartsMakeAVocabulary() throws {
        var options = Vocabulary.Options()
        options.eos = 257
        let vocabulary = try Vocabulary(
            model: .bytePair(.gpt2), tokens: Self.bytes + [Array("ab".utf8), Array("<end>".utf8)],
            types: [Vocabulary.TokenType](repeating: .normal, count: 257) + [.control],
            merges: [(Array("a".utf8), Array("b".utf8))], options: options)
        let tokenizer = try Tokenizer(vocabulary)
        #expect(tokenizer.encode("abc") == [256, 99])
        #expect(tokenizer.endOfGeneration == [257])
        #expect(throws: TokenizerError.invalidMerge(index: 0, text: "xy")) {
            try Vocabulary(
                model: .bytePair(.gpt2), tokens: Self.bytes, types: vocabulary.types.dropLast(2),
                merges: [(Array("x".utf8), Array("y".utf8))])
        }
    }
}
