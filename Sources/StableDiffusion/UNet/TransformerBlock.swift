import Checkpoints
import Glibc
import Tensors

// S pixels, T rows of the context, H heads, C channels

/// A block's pixels just before they look at the text.
struct TextQuestion: Sendable {
    /// What the answer is added to, `[S, C]`.
    let rows: Tensor
    /// As many as there are rows, `[S, C]`.
    let queries: Tensor
}

/// Attention of the picture's pixels, to each other or to the context.
struct Attention: Sendable {
    let query: Linear
    let output: Linear
    let source: Source
    let headCount: Int

    /// Where keys and values come from.
    enum Source: Sendable {
        /// From the pixels themselves.
        case pixels(key: Linear, value: Linear)
        /// From the context, projected once for all steps; the place in `ContextProjections`.
        case context(Int)
    }

    init(
        _ reader: LayerReader, channels: Int, headCount: Int, contextSize: Int?,
        _ projections: inout SharedProjections
    ) throws(CheckpointError) {
        self.headCount = headCount
        query = try reader.linear("to_q", in: channels, out: channels)
        let key = try reader.linear("to_k", in: contextSize ?? channels, out: channels)
        let value = try reader.linear("to_v", in: contextSize ?? channels, out: channels)
        source =
            contextSize == nil
            ? .pixels(key: key, value: value) : .context(projections.addContext(key: key, value: value))
        output = try reader.linear("to_out.0", in: channels, out: channels, biased: true)
    }

    /// `residual` plus the attention of `x`, both `[S, C]`.
    func callAsFunction(
        _ x: Tensor, adding residual: Tensor, _ conditions: StepConditions, _ pass: Pass
    ) throws(Interrupted) -> Tensor {
        let queries = try query(x, pass)  // [S, C]
        switch source {
        case .pixels(let key, let value):
            return try output(
                attend(queries, keys: key(x, pass), values: value(x, pass), pass), adding: residual, pass)
        case .context:
            return try answer(TextQuestion(rows: residual, queries: queries), conditions, pass)
        }
    }

    /// The question's rows plus what the context answers, `[S, C]`; of attention to the context.
    func answer(
        _ question: TextQuestion, _ conditions: StepConditions, _ pass: Pass
    ) throws(Interrupted) -> Tensor {
        guard case .context(let index) = source else { preconditionFailure("attention to the context") }
        let (keys, values) = conditions.context.keysAndValues[index]  // [T, C]
        return try output(
            attend(question.queries, keys: keys, values: values, pass), adding: question.rows, pass)
    }

    private func attend(
        _ queries: Tensor, keys: Tensor, values: Tensor, _ pass: Pass
    ) throws(Interrupted) -> Tensor {
        try pass.operations.attention(
            queries, keys: keys, values: values, headCount: headCount,
            scale: 1 / Float(queries.columns / headCount).squareRoot(), checkpoint: pass.checkpoint)
    }
}

/// Attention among the pixels, attention to the context, and a gated feed-forward layer (diffusers'
/// BasicTransformerBlock).
struct TransformerBlock: Sendable {
    let norm1: LayerNorm
    let attention1: Attention
    let norm2: LayerNorm
    let attention2: Attention
    let norm3: LayerNorm
    let feedForwardIn: Linear  // [8 C, C]: values, then gates
    let feedForwardOut: Linear  // [C, 4 C]

    init(
        _ reader: LayerReader, channels: Int, contextSize: Int, _ settings: UNetConfiguration.Transformers,
        _ projections: inout SharedProjections
    ) throws(CheckpointError) {
        norm1 = try LayerNorm("norm1", channels: channels, reader)
        attention1 = try Attention(
            reader.scoped("attn1"), channels: channels, headCount: settings.headCount,
            contextSize: settings.onlyCrosses ? contextSize : nil, &projections)
        norm2 = try LayerNorm("norm2", channels: channels, reader)
        attention2 = try Attention(
            reader.scoped("attn2"), channels: channels, headCount: settings.headCount,
            contextSize: contextSize, &projections)
        norm3 = try LayerNorm("norm3", channels: channels, reader)
        feedForwardIn = try reader.linear("ff.net.0.proj", in: channels, out: 8 * channels, biased: true)
        feedForwardOut = try reader.linear("ff.net.2", in: 4 * channels, out: channels, biased: true)
    }

    /// `[S, C]` of `x` `[S, C]`.
    func callAsFunction(
        _ x: Tensor, _ conditions: StepConditions, _ pass: Pass
    ) throws(Interrupted) -> Tensor {
        try go(on: question(x, conditions, pass), conditions, pass)
    }

    /// As far as a block goes without the text, from `x` `[S, C]`.
    func question(
        _ x: Tensor, _ conditions: StepConditions, _ pass: Pass
    ) throws(Interrupted) -> TextQuestion {
        if case .context = attention1.source {
            return TextQuestion(rows: x, queries: try attention1.query(norm1(x, pass), pass))
        }
        let x = try attention1(norm1(x, pass), adding: x, conditions, pass)
        return TextQuestion(rows: x, queries: try attention2.query(norm2(x, pass), pass))
    }

    /// The rest of the block, `[S, C]`.
    func go(
        on question: TextQuestion, _ conditions: StepConditions, _ pass: Pass
    ) throws(Interrupted) -> Tensor {
        var x: Tensor
        if case .context = attention1.source {
            x = try attention1.answer(question, conditions, pass)
            x = try attention2(norm2(x, pass), adding: x, conditions, pass)
        } else {
            x = try attention2.answer(question, conditions, pass)
        }
        return try feedForwardOut(gated(norm3(x, pass), pass), adding: x, pass)
    }

    /// `[S, 4 C]`; what it is made of goes before the next product needs memory.
    private func gated(_ x: Tensor, _ pass: Pass) throws(Interrupted) -> Tensor {
        try pass.operations.geglu(feedForwardIn(x, pass), checkpoint: pass.checkpoint)
    }
}

/// Transformer blocks over a map's pixels, with a shortcut past them (diffusers' Transformer2DModel).
struct SpatialTransformer: Sendable {
    let norm: GroupNorm
    let projectionIn: Linear
    let blocks: [TransformerBlock]
    let projectionOut: Linear

    init(
        _ config: UNetConfiguration, _ reader: LayerReader, channels: Int, depth: Int,
        _ settings: UNetConfiguration.Transformers, _ projections: inout SharedProjections
    ) throws(CheckpointError) {
        norm = try GroupNorm("norm", channels: channels, groupCount: config.groupCount, epsilon: 1e-6, reader)
        // Over channels that lie together a 1 × 1 convolution is the same as a projection, so files with either do.
        projectionIn = try reader.linear("proj_in", in: channels, out: channels, biased: true)
        var blocks: [TransformerBlock] = []
        for index in 0..<depth {
            blocks.append(
                try TransformerBlock(
                    reader.scoped("transformer_blocks.\(index)"), channels: channels,
                    contextSize: config.contextSize, settings, &projections))
        }
        self.blocks = blocks
        projectionOut = try reader.linear("proj_out", in: channels, out: channels, biased: true)
    }

    /// `[H, W, C]` of `x` `[H, W, C]`.
    func callAsFunction(
        _ x: FeatureMap, _ conditions: StepConditions, _ pass: Pass
    ) throws(Interrupted) -> FeatureMap {
        let h = try projectionIn(norm(x, pass).pixels, pass)  // [H * W, C]
        return try finish(h, through: blocks[...], of: x, conditions, pass)
    }

    /// As far as it goes without the text, of `x` `[H, W, C]`; there must be a block.
    func question(
        _ x: FeatureMap, _ conditions: StepConditions, _ pass: Pass
    ) throws(Interrupted) -> TextQuestion {
        try blocks[0].question(projectionIn(norm(x, pass).pixels, pass), conditions, pass)
    }

    /// The rest, `[H, W, C]`, from the question of `x`.
    func go(
        on question: TextQuestion, of x: FeatureMap, _ conditions: StepConditions, _ pass: Pass
    ) throws(Interrupted) -> FeatureMap {
        let h = try blocks[0].go(on: question, conditions, pass)
        return try finish(h, through: blocks.dropFirst(), of: x, conditions, pass)
    }

    private func finish(
        _ h: Tensor, through blocks: ArraySlice<TransformerBlock>, of x: FeatureMap,
        _ conditions: StepConditions, _ pass: Pass
    ) throws(Interrupted) -> FeatureMap {
        var h = h
        for block in blocks { h = try block(h, conditions, pass) }
        return FeatureMap(
            height: x.height, width: x.width, pixels: try projectionOut(h, adding: x.pixels, pass))
    }
}
