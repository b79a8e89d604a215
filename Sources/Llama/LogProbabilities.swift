#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A token with the natural logarithm of its probability.
public struct TokenLogProbability: Sendable, Equatable {
    public var id: Int32
    public var logprob: Float

    /// Pairs a token with its log-probability.
    public init(id: Int32, logprob: Float) {
        self.id = id
        self.logprob = logprob
    }
}

/// The model's own probabilities at one position: log-softmax of the logits, before bias, penalties and temperature.
public struct LogProbabilities {
    private let logits: UnsafeBufferPointer<Float>
    private let logSum: Double

    /// Reads `logits` `[V]`, which must outlive the value.
    ///
    /// - Throws: `invalidNumbers` on NaN or infinity.
    public init(_ logits: UnsafeBufferPointer<Float>) throws(LlamaError) {
        guard let highest = Logits.maximum(of: logits) else { throw .invalidNumbers }
        self.logits = logits
        logSum = Double(highest) + log(Logits.exponentialSum(of: logits, highest: highest))
    }

    /// The log-probability of a token; -infinity for an id outside of the vocabulary.
    public subscript(id: Int32) -> Float {
        logits.indices.contains(Int(id)) ? Float(Double(logits[Int(id)]) - logSum) : -.infinity
    }

    /// The `count` most probable tokens, the most probable one first.
    public func top(_ count: Int) -> [TokenLogProbability] {
        var best: [Candidate] = []
        Logits.greatest(count, of: logits, into: &best)
        return best.map { TokenLogProbability(id: $0.id, logprob: Float(Double($0.logit) - logSum)) }
    }
}
