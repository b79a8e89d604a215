import Checkpoints
import Llama
import Tensors
import Tokenizers

/// A Llama in Hugging Face's layout under GGUF's keys and names.
///
/// As llama.cpp's convert_hf_to_gguf.py has it: vectors become F32, and the rows of queries and keys are ordered so that
/// the two elements that RoPE turns together lie side by side.
struct HuggingFaceConversion {
    private(set) var contents = GGUFContents()
    private(set) var parts: [ModelSource.Part] = []
    private let checkpoint: Checkpoint
    private let configuration: LlamaConfiguration
    private let from = TensorNames.huggingFace
    private let to = TensorNames.gguf

    init(_ checkpoint: Checkpoint, _ configuration: LlamaConfiguration) throws {
        self.checkpoint = checkpoint
        self.configuration = configuration
        try addTensors()
        addConfiguration()
        try addTokenizer()
    }

    // MARK: - Tensors

    private mutating func addTensors() throws {
        let c = configuration
        let weights = checkpoint.weights()
        try add(to.embedding, from.embedding, weights, [c.vocabularySize, c.hiddenSize])
        try add(to.finalNorm, from.finalNorm, weights, [c.hiddenSize])
        if !c.tiesEmbeddings { try add(to.output, from.output, weights, [c.vocabularySize, c.hiddenSize]) }
        for layer in 0..<c.layerCount { try addLayer(layer) }
        addFrequencies()
    }

    private mutating func addLayer(_ layer: Int) throws {
        let c = configuration
        let weights = checkpoint.weights().scoped("\(from.blocks).\(layer)")
        let (queries, keys) = (c.headCount * c.headDim, c.kvHeadCount * c.headDim)
        let shapes: [(String, String, [Int])] = [
            (to.attentionNorm, from.attentionNorm, [c.hiddenSize]),
            (to.query, from.query, [queries, c.hiddenSize]), (to.key, from.key, [keys, c.hiddenSize]),
            (to.value, from.value, [keys, c.hiddenSize]),
            (to.attentionOutput, from.attentionOutput, [c.hiddenSize, queries]),
            (to.feedForwardNorm, from.feedForwardNorm, [c.hiddenSize]),
            (to.gate, from.gate, [c.intermediateSize, c.hiddenSize]),
            (to.up, from.up, [c.intermediateSize, c.hiddenSize]),
            (to.down, from.down, [c.hiddenSize, c.intermediateSize]),
        ]
        for (name, source, shape) in shapes {
            let isTurned = name == to.query || name == to.key
            try add(
                "\(to.blocks).\(layer).\(name)", source, weights, shape,
                scope: "\(from.blocks).\(layer).", order: isTurned ? Self.interleaving(c.headDim) : nil)
        }
    }

    private mutating func add(
        _ name: String, _ source: String, _ weights: WeightReader, _ shape: [Int], scope: String = "",
        order: (@Sendable (Int) -> Int)? = nil
    ) throws {
        let tensor = try weights.tensor(source, shape: shape)
        parts.append(
            .init(
                name: name + ".weight", sourceName: scope + source + ".weight",
                tensor: tensor.reshaped(shape),
                plainType: shape.count == 1 ? .f32 : tensor.type, order: order))
    }

    /// Which row of a head's halves lies at a place where pairs lie side by side.
    private static func interleaving(_ headDim: Int) -> @Sendable (Int) -> Int {
        { place in
            let (head, element) = place.quotientAndRemainder(dividingBy: headDim)
            return head * headDim + element % 2 * (headDim / 2) + element / 2
        }
    }

    /// Llama 3.1's scaling is a tensor in GGUF: what each frequency is divided by.
    private mutating func addFrequencies() {
        guard case .llama3 = configuration.ropeScaling else { return }
        let divisors = Numbers(configuration.frequencyDivisors)
        let tensor = WeightTensor(
            type: .f32, shape: [divisors.bytes.count / 4], bytes: divisors.bytes, owner: divisors)
        parts.append(.init(name: "rope_freqs.weight", sourceName: "", tensor: tensor, plainType: .f32))
    }

    /// Memory of numbers that are in no file.
    private final class Numbers: Sendable {
        nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

        init(_ numbers: [Float]) {
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: numbers.count * 4, alignment: 64)
            numbers.withUnsafeBytes { memory.copyMemory(from: $0) }
            bytes = UnsafeRawBufferPointer(memory)
        }

        deinit { bytes.deallocate() }
    }

    // MARK: - Keys

    private mutating func addConfiguration() {
        let c = configuration
        contents.set("general.architecture", "llama")
        contents.set("general.type", "model")
        contents.set("general.name", name)
        contents.set("llama.block_count", UInt32(c.layerCount))
        contents.set("llama.context_length", UInt32(c.contextLength))
        contents.set("llama.embedding_length", UInt32(c.hiddenSize))
        contents.set("llama.feed_forward_length", UInt32(c.intermediateSize))
        contents.set("llama.attention.head_count", UInt32(c.headCount))
        contents.set("llama.attention.head_count_kv", UInt32(c.kvHeadCount))
        contents.set("llama.attention.key_length", UInt32(c.headDim))
        contents.set("llama.attention.value_length", UInt32(c.headDim))
        contents.set("llama.attention.layer_norm_rms_epsilon", c.epsilon)
        contents.set("llama.rope.freq_base", Float(c.ropeTheta))
        contents.set("llama.rope.dimension_count", UInt32(c.headDim))
        contents.set("llama.vocab_size", UInt32(c.vocabularySize))
        if case .linear(let factor) = c.ropeScaling {
            contents.set("llama.rope.scaling.type", "linear")
            contents.set("llama.rope.scaling.factor", Float(factor))
        }
    }

    /// The folder's.
    private var name: String {
        let folder = checkpoint.path.split(separator: "/").last {
            !$0.hasSuffix(".json") && !$0.hasSuffix(".safetensors")
        }
        return folder.map(String.init) ?? "model"
    }

    private mutating func addTokenizer() throws {
        let source = TokenizerSource(checkpoint)
        let vocabulary = try source.vocabulary().ggml
        let c = configuration
        guard vocabulary.tokens.count <= c.vocabularySize else {
            throw LlamaError.invalidConfiguration(
                file: checkpoint.path, key: "the tokenizer's vocabulary",
                expected: "at most the \(c.vocabularySize) rows of the embedding",
                found: "\(vocabulary.tokens.count)")
        }
        let missing = vocabulary.tokens.count..<c.vocabularySize
        contents.set("tokenizer.ggml.model", vocabulary.model)
        if let pre = vocabulary.pre { contents.set("tokenizer.ggml.pre", pre) }
        contents.set("tokenizer.ggml.tokens", vocabulary.tokens + missing.map { "[PAD\($0)]" })
        let unused = Vocabulary.TokenType.unused.rawValue
        contents.set("tokenizer.ggml.token_type", vocabulary.types + missing.map { _ in unused })
        if let scores = vocabulary.scores {
            contents.set("tokenizer.ggml.scores", scores + missing.map { _ in -1000 })
        }
        if let merges = vocabulary.merges { contents.set("tokenizer.ggml.merges", merges) }
        let ids = [
            ("bos", vocabulary.bos), ("eos", vocabulary.eos), ("eot", vocabulary.eot),
            ("unknown", vocabulary.unknown),
        ]
        for case (let name, let id?) in ids { contents.set("tokenizer.ggml.\(name)_token_id", UInt32(id)) }
        contents.set("tokenizer.ggml.add_bos_token", vocabulary.addsBOS)
        contents.set("tokenizer.ggml.add_space_prefix", vocabulary.addsSpacePrefix)
        if let template = source.chatTemplate() { contents.set("tokenizer.chat_template", template) }
    }
}
