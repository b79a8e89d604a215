import Tensors
import Tokenizers

// One text encoder, or the two of SDXL, whose contexts lie side by side.

extension ModelParts {
    /// Whether the context is that of SDXL: one layer earlier, without the final norm.
    private var takesPenultimateLayer: Bool { family == .stableDiffusionXL }

    /// How many layers a request may leave out.
    var skippableLayers: Int {
        let layers = texts.map(\.encoder.configuration.layerCount).min() ?? 0
        return max(0, layers - (takesPenultimateLayer ? 1 : 0))
    }

    /// What the text encoders make of a text, of which each has its own tokens, and its own of `states`.
    func encode(
        _ tokens: [PromptTokens.Text], skippedLayers: Int, states: inout [TextStates?], _ pass: Pass
    ) throws(Interrupted) -> PromptEmbedding {
        var embeddings: [PromptEmbedding] = []
        if states.count != texts.count { states = Array(repeating: nil, count: texts.count) }
        for (index, (part, text)) in zip(texts, tokens).enumerated() {
            embeddings.append(
                try part.encoder(
                    text, skippedLayers: skippedLayers + (takesPenultimateLayer ? 1 : 0),
                    normalizesContext: !takesPenultimateLayer, states: &states[index], pass))
        }
        return PromptEmbedding(
            context: Tensor(joining: embeddings.map(\.context)),
            length: embeddings.reduce(0) { max($0, $1.length) },
            pooled: embeddings.lazy.compactMap(\.pooled).first)
    }
}

extension PromptEmbedding {
    /// Zeros of the same sizes: no prompt at all, for models that were trained so.
    var zeros: PromptEmbedding {
        PromptEmbedding(
            context: Tensor(rows: context.rows, columns: context.columns), length: length,
            pooled: pooled.map { Tensor(rows: $0.rows, columns: $0.columns) })
    }
}

extension Tensor {
    /// The columns of all `tensors`, which have the same number of rows, one after the other.
    fileprivate init(joining tensors: [Tensor]) {
        self.init(rows: tensors.first?.rows ?? 0, columns: tensors.reduce(0) { $0 + $1.columns })
        for row in 0..<rows {
            var start = row * columns
            for tensor in tensors {
                for value in tensor[row].floats {
                    floats[start] = value
                    start += 1
                }
            }
        }
        extendLifetime(tensors)
    }
}
