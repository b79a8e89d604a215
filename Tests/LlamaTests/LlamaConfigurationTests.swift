import Checkpoints
import Foundation
import Glibc
import Tensors
import Testing
import Tokenizers

@testable import Llama

/// What files say about their network, and what is refused.
@Suite struct LlamaConfigurationTests {
    @Test func bothLayoutsGiveTheSameConfiguration() throws {
        let folder = try LlamaConfiguration(.open(ModelFixture.path("tied")))
        let file = try LlamaConfiguration(.open(ModelFixture.path("tied.gguf")))
        #expect(folder == file)
        #expect(file.hiddenSize == 40 && file.intermediateSize == 56 && file.layerCount == 2)
        #expect(file.headCount == 4 && file.kvHeadCount == 2 && file.headDim == 10)
        #expect(file.vocabularySize == 264 && file.contextLength == 256 && file.tiesEmbeddings)
        #expect(file.epsilon == 1e-5 && file.ropeTheta == 10000 && file.ropeScaling == .none)
    }

    @Test func explicitHeadDimensionsAndUntiedOutputsAreRead() throws {
        for name in ["wide-heads", "wide-heads-f16.gguf"] {
            let found = try LlamaConfiguration(.open(ModelFixture.path(name)))
            #expect(found.headDim == 24 && found.headCount == 4 && found.hiddenSize == 32)
            #expect(!found.tiesEmbeddings)
        }
    }

    @Test func ropeScalingIsReadInEverySpelling() throws {
        let llama3 = RopeScaling.llama3(
            factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContextLength: 64)
        #expect(try LlamaConfiguration(.open(ModelFixture.path("llama3-rope"))).ropeScaling == llama3)
        #expect(try LlamaConfiguration(.open(ModelFixture.path("llama3-rope.gguf"))).ropeDivisors?.count == 8)
        for name in ["linear-rope", "linear-rope.gguf"] {
            #expect(try LlamaConfiguration(.open(ModelFixture.path(name))).ropeScaling == .linear(factor: 4))
        }
    }

    @Test func scaledFrequenciesAreTheSameFromBothLayouts() throws {
        for name in ["llama3-rope", "linear-rope"] {
            let folder = try LlamaConfiguration(.open(ModelFixture.path(name))).inverseFrequencies
            let file = try LlamaConfiguration(.open(ModelFixture.path(name + ".gguf"))).inverseFrequencies
            for (a, b) in zip(folder, file) { #expect(abs(a - b) <= 1e-6 * a) }
        }
    }

    /// What transformers' LlamaConfig takes where a key is missing.
    @Test func missingKeysHaveTransformersDefaults() throws {
        func changed(_ name: String, _ key: String, _ value: String? = nil) throws -> LlamaConfiguration {
            let folder = try TemporaryFolder()
            try copyFolder(name, to: folder, edit: Edit(key, value))
            return try LlamaConfiguration(.open(folder.url.path))
        }
        #expect(try changed("wide-heads", "tie_word_embeddings").tiesEmbeddings == false)
        #expect(try changed("tied", "tie_word_embeddings", "false").tiesEmbeddings)
        #expect(try changed("wide-heads", "tie_word_embeddings", "true").tiesEmbeddings)
        #expect(try changed("tied", "num_key_value_heads").kvHeadCount == 4)
        #expect(try changed("tied", "head_dim").headDim == 10)
        #expect(try changed("tied", "max_position_embeddings").contextLength == 2048)
        #expect(try changed("tied", "rms_norm_eps").epsilon == 1e-6)
        #expect(try changed("tied", "rope_parameters", "null").ropeTheta == 10000)
        #expect(try changed("llama3-rope", "rope_parameters").ropeScaling == .none)
    }

    @Test func modelsTellTheirSizes() throws {
        let model = try ModelFixture.model("q4_1.gguf")
        #expect(model.parameterCount == 264 * 64 + 2 * 64 * 64 + 2 * 32 * 64 + 3 * 96 * 64 + 3 * 64)
        #expect(model.byteCount > 0 && model.tokenizer.vocabularySize == 264)
        #expect(model.tokenizer.decode(model.tokenizer.encode("the inn")) == Array("the inn".utf8))
        #expect(model.quantization == "Q4_1" || model.quantization == "Q8_0")
    }

    // MARK: - Refusals in config.json

    struct Edit: CustomTestStringConvertible {
        let key: String
        let value: String?
        let named: String
        var testDescription: String { "\(key) = \(value ?? "missing")" }

        init(_ key: String, _ value: String?, names named: String? = nil) {
            (self.key, self.value, self.named) = (key, value, named ?? key)
        }
    }

    static let edits = [
        Edit("hidden_size", nil), Edit("hidden_size", "0"), Edit("hidden_size", "-40"),
        Edit("hidden_size", "\"40\""),
        Edit("hidden_size", "40.5"), Edit("hidden_size", "1e300"), Edit("intermediate_size", "99999999999"),
        Edit("num_hidden_layers", "0"), Edit("num_hidden_layers", "1000000"),
        Edit("num_attention_heads", "null"),
        Edit("num_key_value_heads", "3", names: "query heads"), Edit("num_key_value_heads", "[2]"),
        Edit("head_dim", "9", names: "head dimension"), Edit("head_dim", "1024"), Edit("vocab_size", "0"),
        Edit("rms_norm_eps", "0", names: "epsilon"), Edit("rms_norm_eps", "-1"),
        Edit("max_position_embeddings", "0"),
        Edit("rope_parameters", #"{"rope_type": "yarn", "factor": 4}"#, names: "yarn"),
        Edit("rope_parameters", #"{"rope_type": "linear", "factor": 0}"#, names: "factor"),
        Edit("rope_parameters", #"{"rope_type": "linear"}"#, names: "factor"),
        Edit("rope_parameters", #"{"rope_type": "default", "rope_theta": 0}"#, names: "rope_theta"),
        Edit(
            "rope_parameters",
            #"{"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4, "#
                + #""original_max_position_embeddings": 64}"#, names: "high_freq_factor"),
        Edit("attention_bias", "true"), Edit("mlp_bias", "true"),
        Edit("hidden_act", #""gelu""#, names: "gelu"),
        Edit("tie_word_embeddings", "1"), Edit("model_type", #""mistral""#, names: "Llama"),
        Edit("architectures", #"["MistralForCausalLM"]"#, names: "MistralForCausalLM"),
        Edit("quantization_config", "{}", names: "quantised"),
    ]

    @Test(arguments: edits) func wrongSettingsAreRefusedByName(_ edit: Edit) throws {
        let folder = try TemporaryFolder()
        try copyFolder("tied", to: folder, edit: edit)
        let error = #expect(throws: LlamaError.self) { try LlamaConfiguration(.open(folder.url.path)) }
        #expect("\(try #require(error))".contains(edit.named), "\(String(describing: error))")
    }

    @Test func anotherVocabularySizeThanTheEmbeddingsIsRefused() throws {
        let folder = try TemporaryFolder()
        try copyFolder("tied", to: folder, edit: Edit("vocab_size", "265"))
        #expect(throws: CheckpointError.self) { try LlamaConfiguration(.open(folder.url.path)) }
    }

    @Test func aFolderWithoutTokenizerIsRefused() throws {
        let folder = try TemporaryFolder()
        try copyFolder("tied", to: folder, edit: Edit("unused", "1"))
        try FileManager.default.removeItem(at: folder.url.appending(path: "tokenizer.json"))
        let error = #expect(throws: LlamaError.self) { try load(folder.url.path) }
        #expect("\(try #require(error))".contains("tokenizer.json"))
    }

    @Test func aTokenizerThatIsTooLargeOrNoFileIsRefused() throws {
        let folder = try TemporaryFolder()
        try copyFolder("tied", to: folder, edit: Edit("unused", "1"))
        let path = folder.url.appending(path: "tokenizer.json").path
        let target = folder.url.appending(path: "elsewhere").path
        // Only its length is large: it takes no blocks. A link is as long as what it leads to.
        try FileManager.default.moveItem(atPath: path, toPath: target)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
        _ = try load(folder.url.path)
        try #require(truncate(target, (64 << 20) + 1) == 0)
        let large = #expect(throws: LlamaError.self) { try load(folder.url.path) }
        #expect("\(try #require(large))".contains("67108865 bytes"))
        try FileManager.default.removeItem(atPath: target)
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
        let folderInstead = #expect(throws: LlamaError.self) { try load(folder.url.path) }
        #expect("\(try #require(folderInstead))".contains("no regular file"))
    }

    // MARK: - Refusals in GGUF

    @Test(arguments: [
        ("llama.attention.head_count", UInt32(3), "40"), ("llama.attention.head_count", 0, "head_count"),
        ("llama.attention.head_count_kv", 3, "key/value"),
        ("llama.rope.dimension_count", 8, "dimension_count"),
        ("llama.block_count", 3, "blk.2"), ("llama.block_count", 4_000_000_000, "block_count"),
        ("llama.vocab_size", 265, "token_embd"), ("llama.embedding_length", 44, "dimension_count"),
        ("llama.feed_forward_length", 57, "ffn"), ("llama.context_length", 0, "context_length"),
        ("llama.attention.layer_norm_rms_epsilon", 0x7FC0_0000, "epsilon"),
        ("llama.attention.layer_norm_rms_epsilon", 0, "epsilon"),
        ("llama.rope.freq_base", 0x7F80_0000, "freq_base"),
    ])
    func wrongKeysAreRefusedByName(key: String, value: UInt32, named: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(try Self.patched("tied.gguf", key, value), "model.gguf")
        do {
            _ = try load(path)
            Issue.record("a file with \(key) = \(value) was loaded")
        } catch {
            #expect(error is LlamaError || error is CheckpointError)
            #expect("\(error)".contains(named), "\(error)")
        }
    }

    @Test func anotherArchitectureIsNamed() throws {
        let folder = try TemporaryFolder()
        var data = try ModelFixture.read("tied.gguf")
        let key = try #require(data.firstRange(of: Data("general.architecture".utf8)))
        // The key is followed by the value's type and length.
        data.replaceSubrange(key.upperBound + 12..<key.upperBound + 17, with: Data("mamba".utf8))
        let path = try folder.write(data, "model.gguf")
        #expect(throws: LlamaError.unsupportedArchitecture(file: path, found: "mamba")) { try load(path) }
    }

    @Test func aVocabularyWithoutWeightsTokenizesOnly() throws {
        let folder = try TemporaryFolder()
        var data = try ModelFixture.read("tied.gguf")
        data.replaceSubrange(8..<16, with: Data(count: 8))  // the number of tensors
        let path = try folder.write(data, "vocabulary.gguf")
        let tokenizer = try LlamaModel.tokenizer(of: .open(path))
        #expect(tokenizer.decode(tokenizer.encode("the inn")) == Array("the inn".utf8))
        #expect(throws: LlamaError.vocabularyOnly(file: path)) { try load(path) }
    }

    // MARK: - Helpers

    private func load(_ path: String) throws -> LlamaModel {
        try LlamaModel.load(path, operations: Operations(pool: WorkerPool(threadCount: 1)))
    }

    private func copyFolder(_ name: String, to folder: TemporaryFolder, edit: Edit) throws {
        for file in try FileManager.default.contentsOfDirectory(atPath: ModelFixture.path(name)) {
            _ = try folder.write(ModelFixture.read("\(name)/\(file)"), file)
        }
        var config = try #require(
            JSONSerialization.jsonObject(with: ModelFixture.read("\(name)/config.json")) as? [String: Any])
        config[edit.key] = try edit.value.map {
            try JSONSerialization.jsonObject(with: Data($0.utf8), options: .fragmentsAllowed)
        }
        _ = try folder.write(JSONSerialization.data(withJSONObject: config), "config.json")
    }

    /// A file with the four bytes of a key's value replaced.
    private static func patched(_ name: String, _ key: String, _ value: UInt32) throws -> Data {
        var data = try ModelFixture.read(name)
        // The type that follows tells a key from one that only begins like it.
        let found = try #require(
            [UInt8(4), 6].compactMap { data.firstRange(of: Data(key.utf8) + [$0, 0, 0, 0]) }.first)
        withUnsafeBytes(of: value.littleEndian) {
            data.replaceSubrange(found.upperBound..<found.upperBound + 4, with: $0)
        }
        return data
    }
}
