import Checkpoints
import Tensors

// CLIP's text encoder (Radford et al. 2021) in reading order: attention, feed forward, block, encoder.
//
// S tokens (77), H heads, D head dimension

/// What a text encoder makes of a prompt.
struct PromptEmbedding: Sendable {
    /// A row for each token, `[S, hiddenSize]`.
    let context: Tensor
    /// Rows of the context that are not of padding.
    let length: Int
    /// The whole text as one row `[1, P]`, of encoders with a projection.
    let pooled: Tensor?
}

/// Attention in which a token sees itself and those before it.
struct TextAttention: Sendable {
    let query: Linear, key: Linear, value: Linear, output: Linear
    let headCount: Int

    init(_ config: TextEncoderConfiguration, _ reader: LayerReader) throws(CheckpointError) {
        headCount = config.headCount
        let size = config.hiddenSize
        query = try reader.linear("q_proj", in: size, out: size)
        key = try reader.linear("k_proj", in: size, out: size)
        value = try reader.linear("v_proj", in: size, out: size)
        output = try reader.linear("out_proj", in: size, out: size)
    }

    /// `residual` plus the attention of `x`, both `[S, hidden]`: to themselves and the rows of `past` before them.
    ///
    /// `past` becomes what the rows after these attend to.
    func callAsFunction(
        _ x: Tensor, adding residual: Tensor, past: inout TextStates.Layer?, _ pass: Pass
    ) throws(Interrupted) -> Tensor {
        let own = TextStates.Layer(keys: try key(x, pass), values: try value(x, pass))
        let all = past?.appending(own, pass) ?? own
        let attended = try pass.operations.attention(
            query(x, pass), keys: all.keys, values: all.values, headCount: headCount,
            scale: 1 / Float(x.columns / headCount).squareRoot(), isCausal: true, checkpoint: pass.checkpoint)
        past = all
        return try output(attended, adding: residual, pass)
    }
}

/// Two projections with the activation between them.
struct TextFeedForward: Sendable {
    let up: Linear  // [intermediate, hidden]
    let down: Linear  // [hidden, intermediate]
    let activation: Activation

    init(_ config: TextEncoderConfiguration, _ reader: LayerReader) throws(CheckpointError) {
        up = try reader.linear("fc1", in: config.hiddenSize, out: config.intermediateSize)
        down = try reader.linear("fc2", in: config.intermediateSize, out: config.hiddenSize)
        activation = config.activation
    }

    /// `residual` plus the layer's output for `x`, both `[S, hidden]`.
    func callAsFunction(_ x: Tensor, adding residual: Tensor, _ pass: Pass) throws(Interrupted) -> Tensor {
        try down(up(x, activation: activation, pass), adding: residual, pass)
    }
}

/// One layer: attention, then feed forward, each normalised before and added to the residual stream.
struct TextBlock: Sendable {
    let attentionNorm: LayerNorm, attention: TextAttention
    let feedForwardNorm: LayerNorm, feedForward: TextFeedForward

    init(_ config: TextEncoderConfiguration, _ reader: LayerReader) throws(CheckpointError) {
        attentionNorm = try LayerNorm(
            "layer_norm1", channels: config.hiddenSize, epsilon: config.epsilon, reader)
        attention = try TextAttention(config, reader.scoped("self_attn"))
        feedForwardNorm = try LayerNorm(
            "layer_norm2", channels: config.hiddenSize, epsilon: config.epsilon, reader)
        feedForward = try TextFeedForward(config, reader.scoped("mlp"))
    }

    /// The layer's output for `h` `[S, hidden]`, rows that follow those of `past`.
    func callAsFunction(
        _ h: Tensor, past: inout TextStates.Layer?, _ pass: Pass
    ) throws(Interrupted) -> Tensor {
        let attended = try attention(attentionNorm(h, pass), adding: h, past: &past, pass)
        return try feedForward(feedForwardNorm(attended, pass), adding: attended, pass)
    }
}

/// A CLIP text encoder: immutable; only one call computes at a time, as with `Operations`.
struct TextEncoder: Sendable {
    let configuration: TextEncoderConfiguration
    private let tokenEmbedding: WeightTensor  // [vocabulary, hidden]
    private let positionEmbedding: WeightTensor  // [context, hidden]
    private let blocks: [TextBlock]
    private let norm: LayerNorm
    /// Of encoders that give the whole text as one row as well.
    private let projection: Linear?  // [P, hidden]

    /// The encoder whose tensors are named as transformers names them, before version 5 or since.
    init(_ config: TextEncoderConfiguration, _ reader: LayerReader) throws(CheckpointError) {
        let older = reader.scoped("text_model")
        let model = older.contains("embeddings.token_embedding") ? older : reader
        configuration = config
        tokenEmbedding = try model.weights.tensor(
            "embeddings.token_embedding", shape: [config.vocabularySize, config.hiddenSize])
        positionEmbedding = try model.weights.tensor(
            "embeddings.position_embedding", shape: [config.contextLength, config.hiddenSize])
        var blocks: [TextBlock] = []
        for index in 0..<config.layerCount {
            blocks.append(try TextBlock(config, model.scoped("encoder.layers.\(index)")))
        }
        self.blocks = blocks
        norm = try LayerNorm(
            "final_layer_norm", channels: config.hiddenSize, epsilon: config.epsilon, model)
        projection =
            reader.contains("text_projection")
            ? try reader.linear("text_projection", in: config.hiddenSize, out: config.projectionSize) : nil
    }

    /// What the encoder makes of a prompt's tokens.
    ///
    /// - Parameters:
    ///   - text: S ids of the vocabulary, at most `contextLength`.
    ///   - skippedLayers: how many of the last layers the context does without, at most all of them. (diffusers'
    ///     `clip_skip`; SDXL's context skips one more.)
    ///   - normalizesContext: whether the context passes the final norm, as in SD 1 and 2 but not in SDXL.
    ///   - states: what an encoding left behind, of any text; rows before the first changed token are taken from it, and
    ///     it becomes what this one leaves. The result is the same to the last bit.
    ///   - pass: what computes.
    /// - Returns: the context, and the pooled row if the encoder has a projection: always of the last layer.
    /// - Throws: `Interrupted` when the checkpoint does.
    func callAsFunction(
        _ text: PromptTokens.Text, skippedLayers: Int = 0, normalizesContext: Bool = true,
        states: inout TextStates?, _ pass: Pass
    ) throws(Interrupted) -> PromptEmbedding {
        let tokens = text.tokens
        precondition((1...configuration.contextLength).contains(tokens.count), "a prompt that fits")
        precondition((0...blocks.count).contains(skippedLayers), "as many layers as there are")
        let contextLayers = blocks.count - skippedLayers
        let known = states?.count(of: tokens, contextLayers: contextLayers) ?? 0
        var h = embed(tokens, from: known, pass)
        var context = h
        var layers: [TextStates.Layer] = []
        for (index, block) in blocks.enumerated() where index < contextLayers || projection != nil {
            try pass.checkpoint()
            var layer = known > 0 ? states?.layers[index].prefix(known) : nil
            h = try block(h, past: &layer, pass)
            if let layer { layers.append(layer) }
            if index + 1 == contextLayers { context = h }
        }
        if let states, known > 0 {
            context = states.context.prefix(known).appending(context, pass)
            h = states.last.prefix(known).appending(h, pass)
        }
        states = TextStates(
            tokens: tokens, contextLayers: contextLayers, layers: layers, context: context, last: h)
        let pooled = try projection.map { projection throws(Interrupted) in
            let row = h[configuration.pooledPosition(in: tokens)]
            return try projection(norm(row, pass), pass)
        }
        return PromptEmbedding(
            context: normalizesContext ? norm(context, pass) : context, length: text.length, pooled: pooled)
    }

    /// The sum of the tokens' and the positions' rows from `first` on, `[S - first, hidden]`.
    private func embed(_ tokens: [Int32], from first: Int, _ pass: Pass) -> Tensor {
        let operations = pass.operations
        let count = tokens.count - first
        let h = operations.makeTensor(rows: count, columns: configuration.hiddenSize)
        let positions = operations.makeTensor(rows: count, columns: configuration.hiddenSize)
        operations.embed(Array(tokens[first...]), from: tokenEmbedding, into: h)
        operations.embed(
            tokens.indices[first...].map(Int32.init), from: positionEmbedding, into: positions)
        operations.add(positions, to: h)
        return h
    }
}
