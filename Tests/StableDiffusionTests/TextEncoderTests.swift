import Checkpoints
import FoundationEssentials
import Glibc
import StrictJSON
import Synchronization
import Tensors
import Testing
import Tokenizers

@testable import StableDiffusion

/// Contexts equal those of diffusers' pipelines; `make-text-goldens.py` asked them.
@Suite struct TextEncoderTests {
    /// One golden: the model, the prompt's index, and diffusers' clip_skip.
    struct Case: CustomTestStringConvertible {
        let model: String, prompt: Int, skip: Int
        var testDescription: String { "\(model)/\(prompt)/\(skip)" }
    }

    @Test(
        arguments: [
            Case(model: "sd15", prompt: 0, skip: 0), Case(model: "sd15", prompt: 0, skip: 1),
            Case(model: "sd15", prompt: 0, skip: 2), Case(model: "sd15", prompt: 0, skip: 3),
            Case(model: "sd15", prompt: 1, skip: 0), Case(model: "sd15", prompt: 2, skip: 0),
            Case(model: "sd2-v", prompt: 0, skip: 0), Case(model: "sd2-v", prompt: 2, skip: 0),
            Case(model: "lcm", prompt: 0, skip: 0), Case(model: "bk-sdm", prompt: 0, skip: 0),
        ])
    func contextsEqualTheReference(_ example: Case) throws {
        let goldens = try Goldens("text-goldens")
        let tokens = try TextFixture.tokenizer("\(example.model)/tokenizer")
            .encode(TextFixture.prompt(example.prompt, goldens)).tokens
        let operations = makeOperations()
        let encoder = try TextFixture.encoder("\(example.model)/text_encoder", operations)
        let embedding = try encoder(tokens, skippedLayers: example.skip, Pass(operations: operations))
        #expect(embedding.pooled == nil)
        let error = difference(
            embedding.context.elements, try goldens["\(example.testDescription)/context"])
        #expect(error < 1e-5)
    }

    @Test(arguments: [(0, 0), (0, 1), (1, 0), (2, 0)])
    func contextsOfTwoEncodersEqualTheReference(prompt: Int, skip: Int) throws {
        let goldens = try Goldens("text-goldens")
        let operations = makeOperations()
        let pass = Pass(operations: operations)
        let parts = try [("tokenizer", "text_encoder"), ("tokenizer_2", "text_encoder_2")].map { names in
            let tokens = try TextFixture.tokenizer("sdxl/\(names.0)")
                .encode(TextFixture.prompt(prompt, goldens)).tokens
            let encoder = try TextFixture.encoder("sdxl/\(names.1)", operations)
            return try encoder(tokens, skippedLayers: 1 + skip, normalizesContext: false, pass)
        }
        let rows = 0..<77
        let context = rows.flatMap { parts[0].context[$0].elements + parts[1].context[$0].elements }
        #expect(difference(context, try goldens["sdxl/\(prompt)/\(skip)/context"]) < 1e-5)
        #expect(parts[0].pooled == nil)
        let pooled = try #require(parts[1].pooled)
        #expect(difference(pooled.elements, try goldens["sdxl/\(prompt)/\(skip)/pooled"]) < 1e-5)
    }

    @Test func theTextIsReadOffAtItsEnd() throws {
        let current = try TextEncoderConfiguration(TextFixture.configuration(["eos_token_id": "9"]))
        #expect(current.pooledPosition(in: [8, 1, 9, 9, 20]) == 2)
        #expect(current.pooledPosition(in: [8, 1, 7]) == 0)
        let older = try TextEncoderConfiguration(TextFixture.configuration(["eos_token_id": "2"]))
        #expect(older.pooledPosition(in: [8, 2, 9, 9, 0]) == 2)
    }

    @Test(
        arguments: [
            ("hidden_size", "0"), ("hidden_size", "15"), ("hidden_size", "\"16\""),
            ("num_hidden_layers", "1e12"), ("num_attention_heads", "-2"), ("hidden_act", "\"tanh\""),
            ("hidden_act", "1"), ("layer_norm_eps", "2"), ("vocab_size", "1.5"), ("model_type", "\"t5\""),
            ("eos_token_id", "[]"),
        ])
    func hostileSettingsAreNamed(key: String, value: String) throws {
        let error = #expect(throws: StableDiffusionError.self) {
            try TextEncoderConfiguration(TextFixture.configuration([key: value]))
        }
        switch try #require(error) {
        case .invalidConfiguration(let file, let named, _, _):
            #expect(file == "config.json" && (named == key || named == "num_attention_heads"))
        case .unsupportedFeature(let file, _):
            #expect(file == "config.json" && ["hidden_act", "model_type"].contains(key))
        default: Issue.record("\(String(describing: error))")
        }
    }

    @Test func tensorsOfAnotherShapeAreNamed() throws {
        let operations = makeOperations()
        #expect(throws: CheckpointError.self) {
            try TextFixture.encoder("sd15/text_encoder", operations, ["num_hidden_layers": "4"])
        }
        #expect(throws: CheckpointError.self) {
            try TextFixture.encoder("sd15/text_encoder", operations, ["intermediate_size": "31"])
        }
    }

    @Test func anInterruptedEncoderGivesTheSameBitsLater() throws {
        let operations = makeOperations()
        let encoder = try TextFixture.encoder("sd15/text_encoder", operations)
        let tokens = try TextFixture.tokenizer("sd15/tokenizer").encode("a fox").tokens
        let first = try encoder(tokens, Pass(operations: operations)).context.elements
        for limit in 0..<6 {
            let calls = Counter()
            let pass = Pass(operations: operations) { () throws(Interrupted) in
                if calls.next() == limit { throw Interrupted() }
            }
            #expect(throws: Interrupted.self) { try encoder(tokens, pass) }
        }
        #expect(try encoder(tokens, Pass(operations: operations)).context.elements == first)
        let alone = makeOperations(threadCount: 1)
        #expect(try encoder(tokens, Pass(operations: alone)).context.elements == first)
    }

    @Test func aDirectoryWithoutATokenizerIsNamed() throws {
        let directory = Fixture.path("models/sd15/vae")
        #expect(
            throws: StableDiffusionError.missingPart(
                path: directory, part: "tokenizer", expected: "vocab.json and merges.txt, or tokenizer.json")
        ) { try CLIPTokenizer(directory: directory) }
    }

    @Test func aTokenizersFileThatIsTooLargeIsRefused() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/inkling-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/tokenizer.json"
        try #require(FileManager.default.createFile(atPath: path, contents: Data()))
        // Only its length is large: it takes no blocks.
        try #require(truncate(path, (64 << 20) + 1) == 0)
        #expect(
            throws: StableDiffusionError.invalidConfiguration(
                file: folder, key: "tokenizer.json", expected: "at most 67108864 bytes", found: "67108865")
        ) { try CLIPTokenizer(directory: folder) }
    }

    @Test func checkpointsWithoutATokenizerHaveOpenAIs() throws {
        let tokenizer = try CLIPTokenizer.standard(pad: "!")
        #expect(tokenizer.vocabularySize == 49408 && tokenizer.contextLength == 77 && tokenizer.pad == 0)
    }
}

extension TextEncoder {
    /// All of `tokens` as a text without padding.
    func callAsFunction(
        _ tokens: [Int32], skippedLayers: Int = 0, normalizesContext: Bool = true, _ pass: Pass
    ) throws(Interrupted) -> PromptEmbedding {
        var states: TextStates?
        return try self(
            PromptTokens.Text(tokens: tokens, length: tokens.count), skippedLayers: skippedLayers,
            normalizesContext: normalizesContext, states: &states, pass)
    }
}

/// Counts calls.
final class Counter: Sendable {
    private let count = Mutex(0)

    /// The number of calls before this one.
    func next() -> Int {
        count.withLock { count in
            defer { count += 1 }
            return count
        }
    }
}

/// Text encoders and tokenizers of the tiny models.
private enum TextFixture {
    static func prompt(_ index: Int, _ goldens: Goldens) throws -> String {
        let prompts = try JSONValue(parsing: Array((goldens.metadata?["prompts"]?.string ?? "").utf8))
        return try #require(prompts.array?[index].string)
    }

    static func tokenizer(_ name: String) throws -> CLIPTokenizer {
        try CLIPTokenizer(directory: Fixture.path("models/\(name)"))
    }

    /// The settings of sd15's encoder with some changed, as JSON.
    static func configuration(_ changes: [String: String]) throws -> ConfigFile {
        try Fixture.configuration("models/sd15/text_encoder/config.json", changes)
    }

    static func encoder(
        _ name: String, _ operations: Operations, _ changes: [String: String] = [:]
    ) throws -> TextEncoder {
        let checkpoint = try Checkpoint.openComponent(Fixture.path("models/\(name)"))
        let configuration = try Fixture.configuration("models/\(name)/config.json", changes)
        return try TextEncoder(
            TextEncoderConfiguration(configuration),
            LayerReader(weights: checkpoint.weights(), operations: operations))
    }
}
