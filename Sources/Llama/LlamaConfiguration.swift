public import Checkpoints
import Tensors

/// The sizes of a Llama network, decoded once from its file, with every default resolved and every value checked.
public struct LlamaConfiguration: Sendable, Equatable {
    /// The width of the residual stream.
    public let hiddenSize: Int
    /// The width of the feed-forward layers.
    public let intermediateSize: Int
    public let layerCount: Int
    /// Query heads.
    public let headCount: Int
    /// Key/value heads; each serves `headCount / kvHeadCount` query heads.
    public let kvHeadCount: Int
    /// Elements of one head.
    public let headDim: Int
    /// Rows of the embedding.
    public let vocabularySize: Int
    /// The longest sequence that the model was made for, in tokens.
    public let contextLength: Int
    /// Keeps the root mean square of RMSNorm from being zero.
    public let epsilon: Float
    /// The base of the rotary embedding's frequencies.
    public let ropeTheta: Double
    public let ropeScaling: RopeScaling
    /// What GGUF's tensor rope_freqs divides each frequency by, `[D / 2]`; it stands for Llama 3.1's scaling.
    public let ropeDivisors: [Float]?
    /// Whether the embedding is the output's matrix too.
    public let tiesEmbeddings: Bool

    /// Reads what a checkpoint says about its network.
    ///
    /// - Throws: `LlamaError` for another architecture, an unknown feature, or settings that can't be right;
    ///   `CheckpointError` for a key or tensor that is missing or of another type.
    public init(_ checkpoint: Checkpoint) throws {
        let embedding: String
        switch checkpoint.format {
        case .gguf(let metadata):
            self = try Self(metadata, checkpoint)
            embedding = TensorNames.gguf.embedding
        case .safetensors(let config, let directory):
            self = try Self(ConfigFile(config, path: directory + "/config.json"), checkpoint)
            embedding = TensorNames.huggingFace.embedding
        case .tensors:
            throw CheckpointError.missingFile(file: "config.json", neededBy: checkpoint.path)
        }
        try check(file: checkpoint.path)
        _ = try checkpoint.weights().linear(embedding, out: vocabularySize, in: hiddenSize)
    }

    private init(_ metadata: GGUFMetadata, _ checkpoint: Checkpoint) throws {
        let file = checkpoint.path
        let architecture = try metadata.requireString("general.architecture")
        guard architecture == "llama" else {
            throw LlamaError.unsupportedArchitecture(file: file, found: architecture)
        }
        guard !checkpoint.tensorNames.isEmpty else { throw LlamaError.vocabularyOnly(file: file) }
        try Self.refuseForeignParts(metadata, checkpoint)
        hiddenSize = try metadata.requireInt("llama.embedding_length", in: 1...1 << 17)
        intermediateSize = try metadata.requireInt("llama.feed_forward_length", in: 1...1 << 20)
        layerCount = try metadata.requireInt("llama.block_count", in: 1...1 << 10)
        headCount = try metadata.requireInt("llama.attention.head_count", in: 1...1 << 12)
        kvHeadCount = try metadata.optionalInt("llama.attention.head_count_kv", in: 1...1 << 12) ?? headCount
        headDim =
            try metadata.optionalInt("llama.attention.key_length", in: 1...512)
            ?? Self.impliedHeadDim(hiddenSize, headCount, file: file)
        for key in ["llama.attention.value_length", "llama.rope.dimension_count"] {
            let length = try metadata.optionalInt(key, in: 1...512) ?? headDim
            guard length == headDim else {
                throw LlamaError.invalidConfiguration(
                    file: file, key: key, expected: "the length of keys, \(headDim)", found: "\(length)")
            }
        }
        contextLength = try metadata.requireInt("llama.context_length", in: 1...1 << 22)
        epsilon = Float(try metadata.requireDouble("llama.attention.layer_norm_rms_epsilon", in: 0...1))
        ropeTheta = try metadata.optionalDouble("llama.rope.freq_base", in: 1...1e15) ?? 10000
        ropeScaling = try RopeScaling(metadata)
        ropeDivisors = try Self.ropeDivisors(checkpoint, count: headDim / 2)
        let rows = checkpoint.tensor("token_embd.weight")?.rows
        vocabularySize = try metadata.optionalInt("llama.vocab_size", in: 1...1 << 22) ?? rows ?? 0
        tiesEmbeddings = !checkpoint.weights().contains(TensorNames.gguf.output)
    }

    private init(_ config: ConfigFile, _ checkpoint: Checkpoint) throws {
        try config.requireLlama()
        hiddenSize = try config.int("hidden_size", in: 1...1 << 17)
        intermediateSize = try config.int("intermediate_size", in: 1...1 << 20)
        layerCount = try config.int("num_hidden_layers", in: 1...1 << 10)
        headCount = try config.int("num_attention_heads", in: 1...1 << 12)
        kvHeadCount = try config.optionalInt("num_key_value_heads", in: 1...1 << 12) ?? headCount
        headDim =
            try config.optionalInt("head_dim", in: 1...512)
            ?? Self.impliedHeadDim(hiddenSize, headCount, file: config.path)
        contextLength = try config.optionalInt("max_position_embeddings", in: 1...1 << 22) ?? 2048
        epsilon = Float(try config.optionalDouble("rms_norm_eps", in: 0...1) ?? 1e-6)
        // Newer files keep all that concerns RoPE in one object.
        let rope = config.object("rope_parameters") ?? config.object("rope_scaling")
        ropeTheta =
            try rope?.optionalDouble("rope_theta", in: 1...1e15)
            ?? config.optionalDouble("rope_theta", in: 1...1e15) ?? 10000
        ropeScaling = try rope.map { rope in try RopeScaling(rope) } ?? .none
        ropeDivisors = nil
        vocabularySize = try config.int("vocab_size", in: 1...1 << 22)
        tiesEmbeddings =
            try config.optionalBool("tie_word_embeddings") ?? false
            || !checkpoint.weights().contains(TensorNames.huggingFace.output)
    }
}

// MARK: - Checks

extension LlamaConfiguration {
    private func check(file: String) throws(LlamaError) {
        func require(
            _ holds: Bool, _ key: String, _ expected: String, _ found: some CustomStringConvertible
        ) throws(LlamaError) {
            guard !holds else { return }
            throw .invalidConfiguration(file: file, key: key, expected: expected, found: "\(found)")
        }
        try require(
            headCount.isMultiple(of: kvHeadCount), "the number of query heads",
            "a multiple of the \(kvHeadCount) key/value heads", headCount)
        try require(headDim.isMultiple(of: 2), "the head dimension", "an even number", headDim)
        try require(epsilon > 0, "the epsilon of RMSNorm", "a positive number", epsilon)
        try require(
            inverseFrequencies.allSatisfy { $0.isFinite && $0 >= 0 }, "the frequencies of RoPE",
            "finite numbers", inverseFrequencies)
    }

    private static func impliedHeadDim(
        _ hiddenSize: Int, _ headCount: Int, file: String
    ) throws(LlamaError) -> Int {
        guard hiddenSize.isMultiple(of: headCount), hiddenSize / headCount <= 512 else {
            throw .invalidConfiguration(
                file: file, key: "the hidden size",
                expected: "a multiple of the \(headCount) heads, with at most 512 elements each",
                found: "\(hiddenSize)")
        }
        return hiddenSize / headCount
    }

    /// Refuses relatives of Llama that call themselves llama and compute something else.
    private static func refuseForeignParts(_ metadata: GGUFMetadata, _ checkpoint: Checkpoint) throws {
        if try metadata.optionalInt("llama.expert_count", in: 0...1 << 20) ?? 0 > 0 {
            throw LlamaError.unsupportedFeature(file: checkpoint.path, feature: "a mixture of experts")
        }
        let bias = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"]
            .first { checkpoint.tensor("blk.0.\($0).bias") != nil }
        if let bias {
            throw LlamaError.unsupportedFeature(file: checkpoint.path, feature: "a bias (blk.0.\(bias).bias)")
        }
    }

    /// The divisors of the frequencies in a GGUF file; converters write them once, or once for each block.
    private static func ropeDivisors(_ checkpoint: Checkpoint, count: Int) throws -> [Float]? {
        let weights = checkpoint.weights()
        guard let name = ["rope_freqs", "blk.0.rope_freqs"].first(where: weights.contains) else { return nil }
        let vector = try weights.vector(name, count: count)
        // The memory is the vector's: it must outlive the copy.
        let divisors = vector.withUnsafeMutablePointer { Array(UnsafeBufferPointer(start: $0, count: count)) }
        guard let wrong = divisors.first(where: { $0 <= 0 }) else { return divisors }
        throw LlamaError.invalidConfiguration(
            file: checkpoint.path, key: name, expected: "positive numbers", found: "\(wrong)")
    }
}
