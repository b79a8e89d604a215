import Checkpoints
import Tensors

/// The diffusion network: latents with noise, a time and a text to an estimate of the noise.
///
/// diffusers' UNet2DConditionModel (Rombach et al. 2022, Podell et al. 2023). Immutable. What doesn't change from step to step is computed before the first: `timeEmbeddings` for a schedule,
/// `context` for a text.
struct UNet: Sendable {
    let configuration: UNetConfiguration
    private let convIn: Convolution
    private let timeEmbedding: TimeEmbedding
    private let addedEmbedding: TimeEmbedding?
    let downBlocks: [DownBlock]
    /// Where it looks at the text first.
    let textPlace: TextPlace?
    private let middle: MiddleBlock?
    private let upBlocks: [UpBlock]
    private let normOut: GroupNorm
    private let convOut: Convolution
    private let projections: SharedProjections

    /// What enters with the time beside it (SDXL).
    struct AddedConditions: Sendable {
        /// The text as one row `[1, P]`.
        let pooled: Tensor
        /// Original height and width, top and left of the crop, height and width asked for; in pixels.
        let timeIDs: [Float]
    }

    /// The network in the weights that `reader` has, by diffusers' names.
    ///
    /// - Throws: `CheckpointError` for a tensor that is missing or of another shape; `Interrupted` from `checkpoint`,
    ///   which is called after each block.
    init(
        _ configuration: UNetConfiguration, _ reader: LayerReader, checkpoint: InterruptionCheck = {}
    ) throws {
        let config = configuration
        self.configuration = config
        var projections = SharedProjections()
        let first = config.down[0].inputChannels
        convIn = try reader.convolution(
            "conv_in", in: config.inputChannels, out: first, kernel: config.convInKernel, biased: true)
        timeEmbedding = try TimeEmbedding(
            reader.scoped("time_embedding"), in: config.timeInputSize, out: config.timeEmbeddingSize,
            condition: config.guidanceEmbeddingSize)
        addedEmbedding = try config.added.map { added in
            try TimeEmbedding(
                reader.scoped("add_embedding"), in: added.inputSize, out: config.timeEmbeddingSize)
        }
        downBlocks = try config.down.indices.map { index in
            try checkpoint()
            return try DownBlock(
                config, config.down[index], reader.scoped("down_blocks.\(index)"), &projections)
        }
        textPlace = TextPlace(downBlocks)
        try checkpoint()
        middle = try MiddleBlock(config, reader.scoped("mid_block"), &projections)
        upBlocks = try config.up.indices.map { index in
            try checkpoint()
            return try UpBlock(config, config.up[index], reader.scoped("up_blocks.\(index)"), &projections)
        }
        normOut = try GroupNorm(
            "conv_norm_out", channels: first, groupCount: config.groupCount, epsilon: config.epsilon, reader)
        convOut = try reader.convolution(
            "conv_out", in: first, out: config.outputChannels, kernel: config.convOutKernel, biased: true)
        self.projections = projections
    }

    // MARK: - What is computed once

    /// What every block is told at every step.
    ///
    /// - Parameters:
    ///   - timesteps: of the whole schedule, in its order.
    ///   - guidanceScale: of networks that take it as an input; others ignore it.
    ///   - added: of networks that take more with the time, which must have it.
    ///   - pass: what computes.
    /// - Returns: the values of all steps.
    /// - Throws: `Interrupted` when the checkpoint does.
    func timeEmbeddings(
        _ timesteps: [Float], guidanceScale: Double? = nil, added: AddedConditions? = nil, _ pass: Pass
    ) throws(Interrupted) -> TimeEmbeddings {
        let sinusoids = Sinusoids(
            size: configuration.timeInputSize, flips: configuration.flipsSines,
            frequencyShift: configuration.frequencyShift)
        let times = Tensor(rows: timesteps.count, columns: sinusoids.size)
        for (row, timestep) in timesteps.enumerated() { sinusoids.write(timestep, to: times[row].floats) }
        let guidance = configuration.guidanceEmbeddingSize.flatMap { size in
            guidanceScale.map { Sinusoids.guidance($0, size: size) }
        }
        let embedding = try timeEmbedding(times, guidance: guidance, pass)  // [steps, E]
        if let shift = try addedShift(added, pass) {  // [1, E]
            for row in 0..<embedding.rows { pass.operations.add(shift, to: embedding[row]) }
        }
        let active = pass.operations.apply(.silu, to: embedding)
        var shifts: [Tensor] = []
        for projection in projections.time { shifts.append(try projection(active, pass)) }
        let takesGuidance = configuration.guidanceEmbeddingSize != nil
        return TimeEmbeddings(
            timesteps: timesteps, guidanceScale: takesGuidance ? guidanceScale : nil, shifts: shifts)
    }

    private func addedShift(_ added: AddedConditions?, _ pass: Pass) throws(Interrupted) -> Tensor? {
        guard let settings = configuration.added, let addedEmbedding else { return nil }
        guard let added else { preconditionFailure("a network that takes added conditions") }
        let size = settings.timeEmbeddingSize
        let pooled = added.pooled.columns
        precondition(
            pooled + added.timeIDs.count * size == settings.inputSize, "added conditions of another size")
        let input = Tensor(rows: 1, columns: settings.inputSize)
        for (i, value) in added.pooled.floats.enumerated() { input.floats[i] = value }
        let sinusoids = Sinusoids(
            size: size, flips: configuration.flipsSines, frequencyShift: configuration.frequencyShift)
        for (i, value) in added.timeIDs.enumerated() {
            let start = pooled + i * size
            sinusoids.write(value, to: .init(rebasing: input.floats[start..<start + size]))
        }
        return try addedEmbedding(input, pass)
    }

    /// The keys and values of `text` `[T, contextSize]`.
    ///
    /// - Throws: `Interrupted` when the checkpoint does.
    func context(_ text: Tensor, _ pass: Pass) throws(Interrupted) -> CrossAttentionContext {
        precondition(text.columns == configuration.contextSize, "a context of another size")
        var all: [(keys: Tensor, values: Tensor)] = []
        for projection in projections.context {
            all.append((try projection.key(text, pass), try projection.value(text, pass)))
        }
        return CrossAttentionContext(keysAndValues: all)
    }

    // MARK: - A step

    /// The network's output `[h, w, out]` for `latents` `[h, w, in]`, whose stem is computed unless it is given.
    ///
    /// - Throws: `Interrupted` when the checkpoint does.
    func callAsFunction(
        _ latents: FeatureMap, step: Int, time: TimeEmbeddings, context: CrossAttentionContext,
        stem: Stem? = nil, _ pass: Pass
    ) throws(Interrupted) -> FeatureMap {
        let conditions = StepConditions(time: time, context: context, step: step)
        var skips: [FeatureMap] = []
        var x: FeatureMap
        if let stem {
            x = try descend(from: stem, keeping: &skips, conditions, pass)
        } else {
            x = try enter(latents, pass)
            skips.append(x)
            for block in downBlocks { x = try block(x, keeping: &skips, conditions, pass) }
        }
        if let middle { x = try middle(x, conditions, pass) }
        for block in upBlocks { x = try block(x, taking: &skips, conditions, pass) }
        x = try normOut(x, activation: .silu, pass)
        return try pass.operations.convolve(x, by: convOut, checkpoint: pass.checkpoint)
    }

    /// The first convolution of `latents`.
    func enter(_ latents: FeatureMap, _ pass: Pass) throws(Interrupted) -> FeatureMap {
        try pass.operations.convolve(
            configuration.centersInput ? Self.centered(latents) : latents, by: convIn,
            checkpoint: pass.checkpoint)
    }

    private static func centered(_ latents: FeatureMap) -> FeatureMap {
        let pixels = Tensor(rows: latents.pixels.rows, columns: latents.channels)
        for (i, value) in latents.pixels.floats.enumerated() { pixels.floats[i] = 2 * value - 1 }
        return FeatureMap(height: latents.height, width: latents.width, pixels: pixels)
    }
}
