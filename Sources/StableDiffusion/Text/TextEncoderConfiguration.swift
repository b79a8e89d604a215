import Tensors

/// The sizes of a CLIP text encoder, from transformers' config.json.
struct TextEncoderConfiguration: Sendable {
    let vocabularySize: Int
    /// The most tokens of a prompt.
    let contextLength: Int
    let hiddenSize: Int
    let intermediateSize: Int
    let layerCount: Int
    let headCount: Int
    /// Columns of the pooled row after its projection, in encoders that have one.
    let projectionSize: Int
    let activation: Activation
    let epsilon: Float
    /// The token at whose first place the whole text is read off; nil where that is the place of the highest id.
    let eos: Int32?

    /// - Throws: `invalidConfiguration`, `unsupportedFeature`.
    init(_ file: ConfigFile) throws(StableDiffusionError) {
        let type = try file.optionalString("model_type") ?? "clip_text_model"
        guard type == "clip_text_model" else { throw file.unsupported("the text encoder \(type)") }
        vocabularySize = try file.int("vocab_size", in: 1...1 << 20, default: 49408)
        contextLength = try file.int("max_position_embeddings", in: 3...1 << 14, default: 77)
        hiddenSize = try file.int("hidden_size", in: 1...1 << 14, default: 512)
        intermediateSize = try file.int("intermediate_size", in: 1...1 << 16, default: 2048)
        layerCount = try file.int("num_hidden_layers", in: 1...512, default: 12)
        headCount = try file.int("num_attention_heads", in: 1...512, default: 8)
        projectionSize = try file.int("projection_dim", in: 1...1 << 14, default: 512)
        epsilon = try file.float("layer_norm_eps", in: 0...1, default: 1e-5)
        switch try file.optionalString("hidden_act") ?? "quick_gelu" {
        case "quick_gelu": activation = .quickGELU
        case "gelu": activation = .gelu
        case let other: throw file.unsupported("the activation \(other)")
        }
        guard hiddenSize % headCount == 0 else {
            throw file.invalid("num_attention_heads", "a divisor of hidden_size, \(hiddenSize)")
        }
        let eos = try file.int("eos_token_id", in: 0...1 << 20, default: 49407)
        // Files of before 2023 say 2 whatever the vocabulary is; transformers then looks for the highest id.
        self.eos = eos == 2 ? nil : Int32(eos)
    }

    /// The row of `tokens` that stands for the whole text.
    func pooledPosition(in tokens: [Int32]) -> Int {
        if let eos { return tokens.firstIndex(of: eos) ?? 0 }
        return tokens.indices.reduce(0) { tokens[$1] > tokens[$0] ? $1 : $0 }
    }
}
