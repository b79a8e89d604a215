import Tensors

/// What an encoding of a text leaves for the next one: since a token sees only those before it, nothing changes before
/// the first token that does.
struct TextStates: Sendable {
    /// All of the text, with its padding where that was encoded.
    let tokens: [Int32]
    /// How many layers the context comes from.
    let contextLayers: Int
    /// Of the layers that were computed.
    let layers: [Layer]
    /// Rows after `contextLayers` layers, before any norm, `[S, hidden]`.
    let context: Tensor
    /// Rows after the last layer that was computed, `[S, hidden]`.
    let last: Tensor

    /// The keys and values of a layer's attention, `[S, hidden]` each.
    struct Layer: Sendable {
        let keys: Tensor
        let values: Tensor

        func prefix(_ count: Int) -> Layer {
            Layer(keys: keys.prefix(count), values: values.prefix(count))
        }

        /// These rows, then those of `layer`.
        func appending(_ layer: Layer, _ pass: Pass) -> Layer {
            Layer(keys: keys.appending(layer.keys, pass), values: values.appending(layer.values, pass))
        }
    }

    /// How many rows of an encoding of `tokens`, with or without padding, are known; the last one never counts, so that
    /// there is something to do.
    func count(of tokens: [Int32], contextLayers: Int) -> Int {
        guard contextLayers == self.contextLayers else { return 0 }
        let first = zip(tokens, self.tokens).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        return min(first ?? self.tokens.count, tokens.count - 1)
    }

    /// What the states take.
    var byteCount: Int { (2 * layers.count + 2) * context.rows * context.columns * 4 }
}

extension Tensor {
    /// A copy of these rows and those of `other`, which are as wide.
    func appending(_ other: Tensor, _ pass: Pass) -> Tensor {
        precondition(columns == other.columns, "rows of the same width")
        let all = pass.operations.makeTensor(rows: rows + other.rows, columns: columns)
        _ = all.prefix(rows).floats.update(fromContentsOf: floats)
        _ = all.suffix(from: rows).floats.update(fromContentsOf: other.floats)
        extendLifetime((self, other))
        return all
    }
}
