import Checkpoints
import Glibc
public import Tensors
import Tokenizers

extension LlamaModel {
    /// Loads a GGUF file or a Hugging Face directory.
    ///
    /// Weights are mapped, not read. Those that take up to half of the machine's memory are then packed into the order
    /// that the kernels read fastest, a third of a second for a gigabyte; larger ones are used from the mapping.
    /// - Parameters:
    ///   - path: as `Checkpoint.open` takes it.
    ///   - operations: what computes.
    ///   - progress: told how much is done, from 0 to 1.
    ///   - checkpoint: called between the steps of loading.
    /// - Returns: the model, ready to compute.
    /// - Throws: `CheckpointError`, `TokenizerError`, `LlamaError`; `Interrupted` when `checkpoint` does.
    public static func load(
        _ path: String, operations: Operations, progress: (Double) -> Void = { _ in },
        checkpoint: InterruptionCheck = {}
    ) throws -> LlamaModel {
        let file = try Checkpoint.open(path)
        let configuration = try LlamaConfiguration(file)
        file.willNeed()
        progress(0.1)
        try checkpoint()
        let source = TokenizerSource(file)
        let tokenizer = try source.tokenizer()
        progress(0.5)
        return try LlamaModel(file, configuration, source, tokenizer, operations) { fraction in
            progress(0.5 + fraction / 2)
            try checkpoint()
        }
    }

    private init(
        _ file: Checkpoint, _ configuration: LlamaConfiguration, _ source: TokenizerSource,
        _ tokenizer: Tokenizer,
        _ operations: Operations, step: (Double) throws -> Void
    ) throws {
        guard tokenizer.vocabularySize <= configuration.vocabularySize else {
            throw LlamaError.invalidConfiguration(
                file: file.path, key: "the tokenizer's vocabulary",
                expected: "at most the \(configuration.vocabularySize) rows of the embedding",
                found: "\(tokenizer.vocabularySize)")
        }
        let names = TensorNames(file.format)
        let mapped = file.weights()
        let weights = Self.packs(file) ? mapped.preparing(operations.packed) : mapped
        self.configuration = configuration
        self.tokenizer = tokenizer
        self.operations = operations.rounding(to: Self.activationPrecision(of: file))
        chatFormat = ChatFormat.detect(template: source.chatTemplate(), tokenizer: tokenizer)
        byteCount = file.byteCount
        parameterCount = file.elementCount
        quantization = Self.quantization(of: file)
        pooling = Self.pooling(of: file)
        // Only a few rows of the embedding are ever read: it stays in the file.
        embedding = try mapped.linear(
            names.embedding, out: configuration.vocabularySize, in: configuration.hiddenSize)
        blocks = try (0..<configuration.layerCount).map { layer in
            try step(Double(layer) / Double(configuration.layerCount))
            return try LlamaBlock(configuration, names, weights.scoped("\(names.blocks).\(layer)"))
        }
        norm = try RMSNorm(names.finalNorm, configuration, weights)
        output =
            configuration.tiesEmbeddings
            ? Self.packs(file) ? operations.packed(embedding) : embedding
            : try weights.linear(
                names.output, out: configuration.vocabularySize, in: configuration.hiddenSize)
        rotary = RotaryTable(inverseFrequencies: configuration.inverseFrequencies, pairing: names.pairing)
        try step(1)
    }

    /// Small models feel the rounding of their activations, and can afford to round less.
    private static func activationPrecision(of file: Checkpoint) -> ActivationPrecision {
        file.elementCount < 500_000_000 ? .bits16 : .bits8
    }

    /// Whether a copy in memory is affordable: unlike a mapping, the system cannot drop it when memory is short.
    private static func packs(_ file: Checkpoint) -> Bool {
        file.byteCount <= sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) / 2
    }

    /// The file's own word for its mixture of types, or the type that most of it has.
    private static func quantization(of file: Checkpoint) -> String {
        let dominant = file.dominantType?.rawValue.uppercased() ?? "none"
        guard case .gguf(let metadata) = file.format, let type = metadata.int("general.file_type") else {
            return dominant
        }
        return fileTypes[type] ?? dominant
    }

    /// llama.cpp's LLAMA_POOLING_TYPE, where the file has one that makes one vector of a text.
    private static func pooling(of file: Checkpoint) -> Pooling {
        guard case .gguf(let metadata) = file.format else { return .last }
        return switch metadata.int("llama.pooling_type") {
        case 1: .mean
        case 2: .first
        default: .last
        }
    }

    /// llama.cpp's LLAMA_FTYPE, as far as the types can be read.
    private static let fileTypes = [
        0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
        12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K",
        21: "Q2_K_S", 25: "IQ4_NL", 30: "IQ4_XS", 32: "BF16",
    ]
}

extension TensorNames {
    /// The names that files of this format use.
    init(_ format: Checkpoint.Format) {
        switch format {
        case .gguf: self = .gguf
        case .safetensors, .tensors: self = .huggingFace
        }
    }
}
