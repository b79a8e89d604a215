public import Tensors

/// How the states of a text's tokens become one vector.
public enum Pooling: Sendable, Equatable {
    case mean, first, last
}

/// A text's vector on its way, evaluated piece by piece by whoever drives it.
///
/// Files that were made for embeddings say how states are pooled (`llama.pooling_type`, as llama.cpp reads it). Of
/// others the last token's state is taken, the only one that has seen the whole text; Ollama does the same. A text has
/// the same bits whatever else is evaluated before or after it.
public struct TextEmbedding {
    private let model: LlamaModel
    private let tokens: [Int32]
    private let pooling: Pooling
    private var cache: KVCache
    private var sum: [Float]

    /// Begins a text, which has at least one token.
    ///
    /// - Parameters:
    ///   - tokens: ids of the vocabulary.
    ///   - model: the network.
    ///   - pooling: `nil` is the model's own.
    public init(_ tokens: [Int32], model: LlamaModel, pooling: Pooling? = nil) {
        precondition(!tokens.isEmpty, "a text has at least one token")
        self.model = model
        self.tokens = tokens
        self.pooling = pooling ?? model.pooling
        cache = model.makeCache(capacity: tokens.count)
        sum = [Float](repeating: 0, count: model.configuration.hiddenSize)
    }

    /// How many tokens were evaluated.
    public var evaluatedCount: Int { cache.position }

    public var isDone: Bool { cache.position == tokens.count }

    /// Evaluates the tokens up to the next multiple of `count`, which is at most `LlamaModel.chunkLength`.
    ///
    /// - Throws: `Interrupted` when `checkpoint` does; what was evaluated before then stays.
    public mutating func advance(by count: Int, checkpoint: InterruptionCheck = {})
        throws(Interrupted)
    {
        let start = cache.position
        let chunk = tokens[start..<min(tokens.count, (start / count + 1) * count)]
        let isLast = chunk.endIndex == tokens.endIndex
        let first =
            switch pooling {
            case .mean: 0
            case .first: start == 0 ? 0 : chunk.count
            case .last: isLast ? chunk.count - 1 : chunk.count
            }
        // [S - first, hidden]
        let states = try model.states(of: chunk, from: first, cache: &cache, checkpoint)
        switch pooling {
        case .mean: for row in 0..<states.rows { add(states[row]) }
        case .first: if start == 0 { add(states[0]) }
        case .last: if isLast { add(states[0]) }
        }
    }

    private mutating func add(_ state: Tensor) {
        for (index, value) in UnsafeBufferPointer(state.floats).enumerated() { sum[index] += value }
    }

    /// The text's vector, of length 1.
    ///
    /// - Parameter dimensions: Takes so many elements from the beginning, and makes them a vector of length 1.
    /// - Returns: `[hidden]`, or `[dimensions]`.
    /// - Throws: `LlamaError.invalidNumbers` for states that are no numbers.
    public func vector(dimensions: Int? = nil) throws(LlamaError) -> [Float] {
        precondition(isDone, "the text was not evaluated to its end")
        let elements = sum.prefix(dimensions ?? sum.count)
        let length = elements.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        guard length.isFinite else { throw .invalidNumbers }
        return elements.map { length > 0 ? Float(Double($0) / length) : 0 }
    }
}

extension LlamaModel {
    /// Appends tokens to the cache; tells the states of those from `first` on, after the last norm.
    fileprivate func states(
        of tokens: ArraySlice<Int32>, from first: Int, cache: inout KVCache,
        _ checkpoint: InterruptionCheck
    ) throws(Interrupted) -> Tensor {
        precondition(tokens.count <= Self.chunkLength, "a longer chunk than is evaluated at once")
        let memory = Activations(configuration, rows: tokens.count)
        let hidden = try extend(cache, by: tokens, from: first, memory, checkpoint)
        cache.append(tokens)
        guard hidden.rows > 0 else { return hidden }
        return norm(hidden, into: memory.normed.prefix(hidden.rows), operations)
    }
}
