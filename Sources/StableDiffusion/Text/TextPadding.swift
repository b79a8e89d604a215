import Tensors

/// What stands behind a prompt up to the length that a text encoder's contexts have.
public enum TextPadding: String, Sendable, CaseIterable {
    /// The rows that the encoder makes of padding after this prompt, as the reference has it.
    case encoded
    /// Those that it makes of padding after no prompt: the same for all prompts, so that only a prompt's own tokens, of
    /// which most are known while somebody types, are computed.
    ///
    /// Networks whose text encoder was frozen while they were trained, as all of this family, take little notice of
    /// padding (Toker et al. 2025, "Padding Tone"). The picture is another one all the same.
    case blank
}

/// What a model makes of no prompt at all, of which the rows of padding are taken for others.
struct BlankText: Sendable {
    let clipSkip: Int
    let embedding: PromptEmbedding
    /// What the network looks at.
    let context: CrossAttentionContext

    /// What it takes.
    var byteCount: Int { 4 * embedding.context.rows * embedding.context.columns + context.byteCount }
}

extension PromptTokens.Text {
    /// The first tokens alone.
    func prefix(_ count: Int) -> PromptTokens.Text {
        PromptTokens.Text(tokens: Array(tokens.prefix(count)), length: min(length, count))
    }
}

extension PromptEmbedding {
    /// These rows, then those of `other` in the places behind them.
    func padded(by other: PromptEmbedding, _ pass: Pass) -> PromptEmbedding {
        guard context.rows < other.context.rows else { return self }
        return PromptEmbedding(
            context: context.appending(other.context.suffix(from: context.rows), pass), length: length,
            pooled: pooled)
    }
}

extension CrossAttentionContext {
    /// These rows, then those of `other` in the places behind them.
    func padded(by other: CrossAttentionContext, _ pass: Pass) -> CrossAttentionContext {
        CrossAttentionContext(
            keysAndValues: zip(keysAndValues, other.keysAndValues).map { own, other in
                guard own.keys.rows < other.keys.rows else { return own }
                return (
                    own.keys.appending(other.keys.suffix(from: own.keys.rows), pass),
                    own.values.appending(other.values.suffix(from: own.values.rows), pass)
                )
            })
    }
}
