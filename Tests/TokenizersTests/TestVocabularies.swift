import Foundation

@testable import Tokenizers

/// The committed vocabularies, and small helpers around them.
enum TestVocabularies {
    static let strings: [String] = decoded("strings.json")
    static let byteLevel = ["llama3", "smollm", "gpt2"]

    static func tokenizer(_ name: String) throws -> Tokenizer {
        let vocabulary =
            switch name {
            case "tiktoken": try Vocabulary(tiktoken: TestData.fixture("tiktoken.model"))
            case "sentencepiece": try Vocabulary(sentencePieceModel: TestData.fixture("sentencepiece.model"))
            case "sentencepiece.json":
                try Vocabulary(
                    tokenizerJSON: TestData.fixture("sentencepiece.json"),
                    config: TestData.fixture("sentencepiece.config.json"))
            default:
                try Vocabulary(
                    tokenizerJSON: TestData.fixture("\(name).json"),
                    config: TestData.fixture("\(name).config.json"))
            }
        return try Tokenizer(vocabulary)
    }

    static func ids(_ name: String) -> [[Int32]] { decoded("\(name).json") }

    private static func decoded<Value: Decodable>(_ name: String) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(TestData.fixture(name)))
        } catch {
            fatalError("\(name): \(error)")
        }
    }
}

/// Reproducible random numbers (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension Tokenizer {
    /// The queue operations that encoding takes: a measure of the work that no clock disturbs.
    func steps(_ text: String) -> Int {
        Array(text.utf8).withUnsafeBufferPointer { encode($0, parsingSpecial: false).steps }
    }
}
