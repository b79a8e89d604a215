import Tensors

/// The run state of one sequence: its tokens, and their keys and values in every layer.
///
/// Memory for `capacity` positions is reserved at once and taken from the system only where it is written. Copies
/// share it: after one was extended or truncated, the others must not be used.
public struct KVCache: Sendable {
    /// The tokens whose keys and values are held, in order.
    public private(set) var tokens: [Int32] = []
    /// How many tokens fit.
    public let capacity: Int
    let layers: [AttentionCache]
    /// The memory of one decoding step, kept between steps.
    let activations: Activations

    init(_ configuration: LlamaConfiguration, capacity: Int, precision: AttentionCache.Precision) {
        self.capacity = capacity
        layers = (0..<configuration.layerCount).map { _ in
            AttentionCache(
                capacity: capacity, kvHeadCount: configuration.kvHeadCount, headDim: configuration.headDim,
                precision: precision)
        }
        activations = Activations(configuration, rows: 1)
    }

    /// Where the next token goes.
    public var position: Int { tokens.count }

    /// Bytes that the keys and values of the tokens take.
    public var byteCount: Int { layers.reduce(0) { $0 + $1.bytesInUse(rows: tokens.count) } }

    /// How many tokens from the beginning on are the same in `other`.
    public func sharedPrefix(with other: [Int32]) -> Int {
        zip(tokens, other).prefix { $0 == $1 }.count
    }

    /// Forgets the tokens from `count` on.
    public mutating func truncate(to count: Int) {
        guard count < tokens.count else { return }
        let forgotten = tokens.count - max(count, 0)
        tokens.removeLast(forgotten)
        // What a few tokens would give back is not worth a system call for each head of each layer.
        if forgotten >= 64 { layers.forEach { $0.discardRows(from: tokens.count) } }
    }

    /// Takes over the first `count` tokens of a cache of the same model and precision, in place of its own.
    public mutating func copyPrefix(from other: KVCache, count: Int) {
        precondition(count <= other.tokens.count && count <= capacity, "fewer tokens than are copied")
        for (layer, source) in zip(layers, other.layers) { layer.copyRows(from: source, count: count) }
        tokens = Array(other.tokens.prefix(count))
    }

    /// Counts tokens as held, once their keys and values are in every layer.
    mutating func append(_ new: some Collection<Int32>) {
        tokens.append(contentsOf: new)
    }
}

/// The memory of one pass over S tokens: what blocks write to and hand on.
struct Activations: Sendable {
    let hidden, normed, queries, keys, values, attended, gate, up, logits: Tensor

    /// Room for `rows` tokens, and for the logits of `logitRows` of them.
    init(_ configuration: LlamaConfiguration, rows: Int, logitRows: Int = 1) {
        let queryWidth = configuration.headCount * configuration.headDim
        let keyWidth = configuration.kvHeadCount * configuration.headDim
        hidden = Tensor(rows: rows, columns: configuration.hiddenSize)
        normed = Tensor(rows: rows, columns: configuration.hiddenSize)
        queries = Tensor(rows: rows, columns: queryWidth)
        keys = Tensor(rows: rows, columns: keyWidth)
        values = Tensor(rows: rows, columns: keyWidth)
        attended = Tensor(rows: rows, columns: queryWidth)
        gate = Tensor(rows: rows, columns: configuration.intermediateSize)
        up = Tensor(rows: rows, columns: configuration.intermediateSize)
        logits = Tensor(rows: logitRows, columns: configuration.vocabularySize)
    }
}
