import Foundation
import StrictJSON
import Testing

@testable import Tokenizers

/// Ids equal those of transformers' CLIPTokenizer; `make-clip-fixtures.py` asked it.
@Suite struct CLIPTokenizerTests {
    /// The vocabularies that the reference answered for.
    enum Variant: String, CaseIterable {
        case sd1 = "clip-sd1"
        case sd2 = "clip-sd2"
        case trimmed = "clip-trimmed"
        /// The same in one file.
        case saved = "clip-trimmed-saved"

        var tokenizer: CLIPTokenizer {
            get throws {
                switch self {
                case .sd1: CLIPTokenizer(try CLIPVocabulary(merges: try CLIPFiles.merges))
                case .sd2: CLIPTokenizer(try CLIPVocabulary(merges: try CLIPFiles.merges, pad: "!"))
                case .trimmed: CLIPTokenizer(try CLIPFiles.trimmed())
                case .saved:
                    CLIPTokenizer(
                        try CLIPVocabulary(
                            tokenizerJSON: try TestData.fixture("clip-trimmed-saved/tokenizer.json"),
                            settings: CLIPSettingsFiles(
                                configuration: try TestData.fixture(
                                    "clip-trimmed-saved/tokenizer_config.json"))))
                }
            }
        }

        /// The fixtures' name.
        var golden: String { self == .saved ? "clip-trimmed" : rawValue }
    }

    @Test(arguments: [Variant.sd1, .trimmed, .saved])
    func idsEqualTheReference(variant: Variant) throws {
        let tokenizer = try variant.tokenizer
        let strings = TestVocabularies.strings + (try CLIPFiles.json("clip.strings.json").strings)
        let golden = try CLIPFiles.json("\(variant.golden).ids.json").array ?? []
        #expect(golden.count == strings.count && golden.count > 500)
        for (text, ids) in zip(strings, golden) {
            #expect(tokenizer.tokens(of: text) == ids.ids, "\(text.debugDescription)")
        }
    }

    @Test(arguments: Variant.allCases)
    func promptsArePaddedAndCutAsTheReferenceDoes(variant: Variant) throws {
        let tokenizer = try variant.tokenizer
        let golden = try CLIPFiles.json("\(variant.golden).padded.json")
        let texts = golden["texts"]?.strings ?? []
        #expect(texts.count > 60)
        for (index, text) in texts.enumerated() {
            let encoding = tokenizer.encode(text)
            #expect(encoding.tokens == golden["ids"]?.array?[index].ids, "\(text.debugDescription)")
            #expect(
                encoding.truncatedText == golden["truncated"]?.array?[index].string,
                "\(text.debugDescription)")
            let ends = encoding.tokens[encoding.length - 1] == tokenizer.eos
            let padding = encoding.tokens.dropFirst(encoding.length)
            #expect(ends && padding.allSatisfy { $0 == tokenizer.pad })
        }
    }

    @Test func settingsComeFromTheFiles() throws {
        let full = try Variant.sd1.tokenizer
        #expect(full.vocabularySize == 49408 && full.contextLength == 77)
        #expect(full.bos == 49406 && full.eos == 49407 && full.pad == 49407)
        #expect(try Variant.sd2.tokenizer.pad == 0)
        let trimmed = try Variant.trimmed.tokenizer
        #expect(trimmed.contextLength == 24 && trimmed.eos == Int32(trimmed.vocabularySize) - 2)
        #expect(trimmed.tokens(of: "a <Cat-Toy>").last == Int32(trimmed.vocabularySize) - 1)
    }

    @Test func trimmedVocabulariesGiveUnknownBytesTheirToken() throws {
        let tokenizer = try Variant.trimmed.tokenizer
        #expect(tokenizer.tokens(of: "é") == [tokenizer.eos, tokenizer.eos])
    }
}

/// Files that were made to be refused.
@Suite struct CLIPVocabularyTests {
    @Test(
        arguments: [
            (
                #"{"a":0,"b":2}"#,
                TokenizerError.idOutOfRange(what: "the id of \"b\"", id: 2, vocabularySize: 2)
            ),
            (#"{"a":0,"b":0}"#, .invalidToken(id: 0, reason: "it is both \"a\" and \"b\"")),
            (#"{"a":0,"b":-1}"#, .idOutOfRange(what: "the id of \"b\"", id: -1, vocabularySize: 2)),
            (#"{"a":0,"b":"1"}"#, .missing("id of token \"b\"")),
            ("[]", .unsupported(what: "vocabulary (expected an object)", found: "an array of 0")),
        ])
    func idsMustBeAPermutation(vocabulary: String, error: TokenizerError) {
        #expect(throws: error) {
            try CLIPVocabulary(
                vocabulary: Array(vocabulary.utf8), merges: [], settings: CLIPSettingsFiles())
        }
    }

    @Test(arguments: ["a", "a b c", "a x", "b a"])
    func mergesMustBeOfKnownTokens(line: String) {
        let vocabulary = Array(#"{"a":0,"b":1,"ab":2,"<|startoftext|>":3,"<|endoftext|>":4}"#.utf8)
        #expect(throws: TokenizerError.self) {
            try CLIPVocabulary(
                vocabulary: vocabulary, merges: Array(line.utf8), settings: CLIPSettingsFiles())
        }
        #expect(throws: Never.self) {
            try CLIPVocabulary(
                vocabulary: vocabulary, merges: Array("#version: 0.2\na b\n".utf8),
                settings: CLIPSettingsFiles())
        }
    }

    @Test(
        arguments: [
            (#"{"model_max_length":2}"#, "model_max_length"),
            (#"{"model_max_length":"77"}"#, "model_max_length"),
            (#"{"bos_token":"<s>"}"#, "begins"), (#"{"pad_token":{"content":7}}"#, "pad_token"),
            (#"{"eos_token":{"content":"a","lstrip":true}}"#, "lstrip"), (#"{"unk_token":3}"#, "unk_token"),
            (#"{"added_tokens_decoder":{"x":{"content":"a"}}}"#, "integer"), ("[1]", "an object"),
            ("{", "JSON"),
        ])
    func settingsAreChecked(configuration: String, named: String) throws {
        let vocabulary = Array(#"{"a":0,"<|startoftext|>":1,"<|endoftext|>":2}"#.utf8)
        let error = #expect(throws: TokenizerError.self) {
            try CLIPVocabulary(
                vocabulary: vocabulary, merges: [],
                settings: CLIPSettingsFiles(configuration: Array(configuration.utf8)))
        }
        let description = try #require(error).description
        #expect(description.contains(named) || named == "JSON", "\(description)")
    }

    @Test func absurdLengthsStandForNone() throws {
        let vocabulary = Array(#"{"a":0,"<|startoftext|>":1,"<|endoftext|>":2}"#.utf8)
        let settings = CLIPSettingsFiles(
            configuration: Array(#"{"model_max_length":1000000000000000019884624838656}"#.utf8))
        let tokenizer = CLIPTokenizer(
            try CLIPVocabulary(vocabulary: vocabulary, merges: [], settings: settings))
        #expect(tokenizer.contextLength == 77)
    }

    @Test func otherTokenizersAreRefused() {
        for text in [
            #"{"model":{"type":"BPE","vocab":{},"merges":[]}}"#, #"{"model":{"type":"Unigram","vocab":[]}}"#,
            "{}",
        ] {
            #expect(throws: TokenizerError.self) {
                try CLIPVocabulary(tokenizerJSON: Array(text.utf8), settings: CLIPSettingsFiles())
            }
        }
    }

    @Test func changedBytesAreRefusedOrRead() throws {
        let files = try ["vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"]
            .map { try TestData.fixture("clip-trimmed/\($0)") }
        var chance = SeededGenerator(seed: 3)
        for _ in 0..<400 {
            var changed = files
            let file = Int.random(in: 0..<4, using: &chance)
            let place = Int.random(in: 0..<changed[file].count, using: &chance)
            changed[file][place] = UInt8.random(in: 0...255, using: &chance)
            let vocabulary = try? CLIPVocabulary(
                vocabulary: changed[0], merges: changed[1],
                settings: CLIPSettingsFiles(configuration: changed[2], specialTokens: changed[3]))
            guard let vocabulary else { continue }
            let tokenizer = CLIPTokenizer(vocabulary)
            #expect(tokenizer.encode("a Cat-Toy! é").tokens.count == tokenizer.contextLength)
        }
    }
}

/// CLIP's fixtures.
private enum CLIPFiles {
    static var merges: [UInt8] {
        get throws {
            let package = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
            return try [UInt8](Data(contentsOf: URL(filePath: "/\(package)/Assets/clip-merges.txt")))
        }
    }

    static func json(_ name: String) throws -> JSONValue { try JSONValue(parsing: TestData.fixture(name)) }

    static func trimmed() throws -> CLIPVocabulary {
        try CLIPVocabulary(
            vocabulary: TestData.fixture("clip-trimmed/vocab.json"),
            merges: TestData.fixture("clip-trimmed/merges.txt"),
            settings: CLIPSettingsFiles(
                configuration: TestData.fixture("clip-trimmed/tokenizer_config.json"),
                specialTokens: TestData.fixture("clip-trimmed/special_tokens_map.json"),
                addedTokens: TestData.fixture("clip-trimmed/added_tokens.json")))
    }
}

extension JSONValue {
    fileprivate var strings: [String] { array?.compactMap(\.string) ?? [] }
    fileprivate var ids: [Int32] { array?.compactMap { $0.int.map(Int32.init) } ?? [] }
}
