import Checkpoints
public import Tensors
public import Tokenizers

// Llama 3 (Grattafiori et al. 2024) in reading order: norm, attention, feed forward, block, model.
//
// S new tokens, P past tokens, H query heads, K key/value heads, D head dimension, V vocabulary

/// What all operators of one pass over S new tokens share.
struct Pass {
    let operations: Operations
    let rotary: RotaryTable
    /// The position of the first new token: P.
    let start: Int
    let memory: Activations
}

/// Root mean square normalisation (Zhang and Sennrich 2019).
struct RMSNorm: Sendable {
    let weight: Tensor  // [1, hidden]
    let epsilon: Float

    init(_ name: String, _ config: LlamaConfiguration, _ weights: WeightReader) throws(CheckpointError) {
        weight = try weights.vector(name, count: config.hiddenSize)
        epsilon = config.epsilon
    }

    /// The norm of `x` `[S, hidden]` in `y`, which it returns.
    func callAsFunction(_ x: Tensor, into y: Tensor, _ operations: Operations) -> Tensor {
        operations.rmsNorm(x, weight: weight, epsilon: epsilon, into: y)
        return y
    }
}

/// Grouped-query attention with rotary position embedding.
struct LlamaAttention: Sendable {
    let query: WeightTensor  // [H * D, hidden]
    let key: WeightTensor  // [K * D, hidden]
    let value: WeightTensor  // [K * D, hidden]
    let output: WeightTensor  // [hidden, H * D]
    let headCount: Int, kvHeadCount: Int, headDim: Int

    init(_ config: LlamaConfiguration, _ names: TensorNames, _ weights: WeightReader) throws(CheckpointError)
    {
        (headCount, kvHeadCount, headDim) = (config.headCount, config.kvHeadCount, config.headDim)
        query = try weights.linear(names.query, out: headCount * headDim, in: config.hiddenSize)
        key = try weights.linear(names.key, out: kvHeadCount * headDim, in: config.hiddenSize)
        value = try weights.linear(names.value, out: kvHeadCount * headDim, in: config.hiddenSize)
        output = try weights.linear(names.attentionOutput, out: config.hiddenSize, in: headCount * headDim)
    }

    /// Stores the keys and values of `x` `[S, hidden]`, and adds the attention of its rows from `first` on to `h`
    /// `[S - first, hidden]`.
    func callAsFunction(
        _ x: Tensor, from first: Int, addingTo h: Tensor, cache: AttentionCache, _ pass: Pass,
        _ checkpoint: InterruptionCheck
    ) throws(Interrupted) {
        let operations = pass.operations
        let positions = pass.start..<pass.start + x.rows
        let asking = positions.dropFirst(first)
        let q = pass.memory.queries.prefix(asking.count)  // [S - first, H * D]
        let k = pass.memory.keys.prefix(x.rows)  // [S, K * D]
        let v = pass.memory.values.prefix(x.rows)  // [S, K * D]
        if first == 0 {
            try operations.multiply(x, by: [query, key, value], into: [q, k, v], checkpoint: checkpoint)
        } else {
            try operations.multiply(x, by: [key, value], into: [k, v], checkpoint: checkpoint)
        }
        operations.rotate(k, headCount: kvHeadCount, headDim: headDim, positions: positions, by: pass.rotary)
        operations.store(keys: k, values: v, at: pass.start, in: cache)
        guard !asking.isEmpty else { return }
        if first > 0 {
            try operations.multiply(x.suffix(from: first), by: [query], into: [q], checkpoint: checkpoint)
        }
        operations.rotate(q, headCount: headCount, headDim: headDim, positions: asking, by: pass.rotary)
        let attended = pass.memory.attended.prefix(asking.count)  // [S - first, H * D]
        try operations.attention(
            q, over: cache, from: asking.lowerBound, headCount: headCount,
            scale: 1 / Float(headDim).squareRoot(), into: attended, checkpoint: checkpoint)
        try operations.multiply(
            attended, by: [output], into: [h], accumulate: true, checkpoint: checkpoint)
    }
}

/// The gated feed-forward layer (Shazeer 2020): down(silu(gate(x)) * up(x)).
struct LlamaFeedForward: Sendable {
    let gate: WeightTensor  // [intermediate, hidden]
    let up: WeightTensor  // [intermediate, hidden]
    let down: WeightTensor  // [hidden, intermediate]

    init(_ config: LlamaConfiguration, _ names: TensorNames, _ weights: WeightReader) throws(CheckpointError)
    {
        gate = try weights.linear(names.gate, out: config.intermediateSize, in: config.hiddenSize)
        up = try weights.linear(names.up, out: config.intermediateSize, in: config.hiddenSize)
        down = try weights.linear(names.down, out: config.hiddenSize, in: config.intermediateSize)
    }

    /// Adds the layer's output for `x` `[S, hidden]` to `h` `[S, hidden]`.
    func callAsFunction(
        _ x: Tensor, addingTo h: Tensor, _ pass: Pass, _ checkpoint: InterruptionCheck
    ) throws(Interrupted) {
        let g = pass.memory.gate.prefix(x.rows)  // [S, intermediate]
        let u = pass.memory.up.prefix(x.rows)  // [S, intermediate]
        try pass.operations.multiply(x, by: [gate, up], into: [g, u], checkpoint: checkpoint)
        pass.operations.siluMultiply(g, u, into: g)
        try pass.operations.multiply(g, by: [down], into: [h], accumulate: true, checkpoint: checkpoint)
    }
}

/// One layer: attention, then feed forward, each normalised before and added to the residual stream.
struct LlamaBlock: Sendable {
    let attentionNorm: RMSNorm, attention: LlamaAttention
    let feedForwardNorm: RMSNorm, feedForward: LlamaFeedForward

    init(_ config: LlamaConfiguration, _ names: TensorNames, _ weights: WeightReader) throws(CheckpointError)
    {
        attentionNorm = try RMSNorm(names.attentionNorm, config, weights)
        attention = try LlamaAttention(config, names, weights)
        feedForwardNorm = try RMSNorm(names.feedForwardNorm, config, weights)
        feedForward = try LlamaFeedForward(config, names, weights)
    }

    /// Extends the cache by `h` `[S, hidden]`, and turns its rows from `first` on into the layer's output in place.
    func callAsFunction(
        _ h: Tensor, from first: Int = 0, cache: AttentionCache, _ pass: Pass, _ checkpoint: InterruptionCheck
    ) throws(Interrupted) {
        let x = attentionNorm(h, into: pass.memory.normed.prefix(h.rows), pass.operations)
        let rest = h.suffix(from: first)  // [S - first, hidden]
        try attention(x, from: first, addingTo: rest, cache: cache, pass, checkpoint)
        guard rest.rows > 0 else { return }
        let y = feedForwardNorm(rest, into: pass.memory.normed.prefix(rest.rows), pass.operations)
        try feedForward(y, addingTo: rest, pass, checkpoint)
    }
}

/// A Llama network with its tokenizer: immutable, shared by any number of sequences, each with its own `KVCache`.
///
/// Weights stay in their file's mapping, in their own types. Only one call computes at a time, as with `Operations`.
public struct LlamaModel: Sendable {
    /// The network's sizes.
    public let configuration: LlamaConfiguration
    /// The vocabulary that the network was trained with.
    public let tokenizer: Tokenizer
    /// How chats are written for it.
    public let chatFormat: ChatFormat
    /// Bytes of all weights.
    public let byteCount: Int
    /// The number of weights.
    public let parameterCount: Int
    /// How the weights are quantised, as files are usually named: "Q4_K_M", "BF16".
    public let quantization: String
    /// How the states of a text become one vector, where a text's vector is asked for.
    public let pooling: Pooling

    /// The most tokens that one pass of `prefill` takes; passes end at multiples of it.
    public static let chunkLength = 256
    private static let logitRows = 16

    let operations: Operations
    let embedding: WeightTensor  // [V, hidden]
    let blocks: [LlamaBlock]
    let norm: RMSNorm
    let output: WeightTensor  // [V, hidden]
    let rotary: RotaryTable

    /// An empty cache for up to `capacity` tokens.
    public func makeCache(capacity: Int, precision: AttentionCache.Precision = .f16) -> KVCache {
        KVCache(configuration, capacity: capacity, precision: precision)
    }

    /// Appends a prompt to the cache.
    ///
    /// The prompt, which must not be empty and must fit, is taken in chunks.
    /// - Parameters:
    ///   - tokens: ids of the vocabulary.
    ///   - cache: the sequence so far.
    ///   - checkpoint: called between operators and parts of them.
    ///   - progress: told after each chunk how many of the tokens are done.
    /// - Returns: the logits of the last token, `[1, V]`.
    /// - Throws: `Interrupted` when `checkpoint` does; the cache then holds the chunks that were finished, and going
    ///   on from there gives the same bits.
    public func prefill(
        _ tokens: [Int32], cache: inout KVCache, checkpoint: InterruptionCheck = {},
        progress: (Int) -> Void = { _ in }
    ) throws(Interrupted) -> Tensor {
        precondition(!tokens.isEmpty, "a prompt has at least one token")
        let memory = Activations(configuration, rows: min(tokens.count, Self.chunkLength))
        for chunk in chunks(of: tokens, after: cache.position) {
            let isLast = chunk.endIndex == tokens.endIndex
            let hidden = try extend(
                cache, by: chunk, from: isLast ? chunk.count - 1 : chunk.count, memory, checkpoint)
            if isLast { try computeLogits(of: hidden, into: memory.logits, memory, checkpoint) }
            cache.append(chunk)
            progress(chunk.endIndex)
        }
        return memory.logits
    }

    /// Appends a prompt to the cache, and tells the logits after each of its tokens.
    ///
    /// - Parameters:
    ///   - tokens: ids of the vocabulary.
    ///   - cache: the sequence so far.
    ///   - checkpoint: called between operators and parts of them.
    ///   - body: takes the index of a token in `tokens` and the logits of what follows it, `[1, V]`, which are valid
    ///     during the call only.
    /// - Throws: as `prefill`.
    public func prefillAllLogits(
        _ tokens: [Int32], cache: inout KVCache, checkpoint: InterruptionCheck = {},
        _ body: (Int, Tensor) -> Void
    ) throws(Interrupted) {
        let rows = min(tokens.count, Self.chunkLength)
        let memory = Activations(configuration, rows: rows, logitRows: min(rows, Self.logitRows))
        for chunk in chunks(of: tokens, after: cache.position) {
            let hidden = try extend(cache, by: chunk, from: 0, memory, checkpoint)
            for first in stride(from: 0, to: chunk.count, by: Self.logitRows) {
                let tile = hidden.suffix(from: first).prefix(min(Self.logitRows, chunk.count - first))
                let logits = memory.logits.prefix(tile.rows)
                try computeLogits(of: tile, into: logits, memory, checkpoint)
                for row in 0..<tile.rows { body(chunk.startIndex + first + row, logits[row]) }
            }
            cache.append(chunk)
        }
    }

    /// Appends one token to the cache, which must have room.
    ///
    /// - Returns: the token's logits, `[1, V]`, in memory that the next `decode` with this cache uses again.
    /// - Throws: `Interrupted` when `checkpoint` does; the cache is then as before.
    public func decode(
        _ token: Int32, cache: inout KVCache, checkpoint: InterruptionCheck = {}
    ) throws(Interrupted) -> Tensor {
        let memory = cache.activations
        let hidden = try extend(cache, by: [token], from: 0, memory, checkpoint)
        try computeLogits(of: hidden, into: memory.logits, memory, checkpoint)
        cache.append([token])
        return memory.logits
    }

    /// Stores the keys and values of S tokens in every layer, after those that the cache counts.
    ///
    /// - Returns: the residual stream of the tokens from `first` on, `[S - first, hidden]`: the last layer computes
    ///   no others.
    func extend(
        _ cache: KVCache, by tokens: ArraySlice<Int32>, from first: Int, _ memory: Activations,
        _ checkpoint: InterruptionCheck
    ) throws(Interrupted) -> Tensor {
        precondition(cache.position + tokens.count <= cache.capacity, "the cache is full")
        let pass = Pass(operations: operations, rotary: rotary, start: cache.position, memory: memory)
        let h = memory.hidden.prefix(tokens.count)  // [S, hidden]
        operations.embed(Array(tokens), from: embedding, into: h)
        for (index, block) in blocks.enumerated() {
            try checkpoint()
            let isLast = index == blocks.count - 1
            try block(h, from: isLast ? first : 0, cache: cache.layers[index], pass, checkpoint)
        }
        return h.suffix(from: first)
    }

    /// The logits `[S, V]` of the residual stream `h` `[S, hidden]`.
    private func computeLogits(
        of h: Tensor, into logits: Tensor, _ memory: Activations, _ checkpoint: InterruptionCheck
    ) throws(Interrupted) {
        let x = norm(h, into: memory.normed.prefix(h.rows), operations)
        try operations.multiply(x, by: [output], into: [logits], checkpoint: checkpoint)
    }

    /// `tokens` cut where their positions are multiples of the chunk length, so that it doesn't matter to the sums
    /// where a prompt was interrupted.
    private func chunks(of tokens: [Int32], after position: Int) -> [ArraySlice<Int32>] {
        var chunks: [ArraySlice<Int32>] = []
        var start = 0
        while start < tokens.count {
            let end = min(tokens.count, start + Self.chunkLength - (position + start) % Self.chunkLength)
            chunks.append(tokens[start..<end])
            start = end
        }
        return chunks
    }
}
