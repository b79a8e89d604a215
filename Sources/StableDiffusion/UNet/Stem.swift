import Tensors

/// What a network computes before it looks at the text for the first time: the same for every text.
///
/// With the same seed and the same first time it is the same for all that is typed (5 % of a step of SD 1.5). Two
/// stems are made of the same when their `origin` is equal, to the last bit.
struct Stem: Sendable {
    let origin: Origin
    /// What is kept for the way up so far.
    let skips: [FeatureMap]
    /// What the transformer is to add its result to, `[H, W, C]`.
    let map: FeatureMap
    let question: TextQuestion

    /// All that a stem is made of, beside the network.
    struct Origin: Sendable, Equatable {
        let height: Int
        let width: Int
        /// Of the latents, `[h, w, C]`.
        let latents: [Float]
        /// What the residual blocks before the text are told of the time.
        let shifts: [[Float]]
    }

    /// What the stem takes.
    var byteCount: Int {
        let maps = (skips + [map]).reduce(0) { $0 + $1.pixels.rows * $1.channels }
        return (maps + 2 * question.rows.rows * question.rows.columns + origin.latents.count) * 4
    }
}

/// Where on its way down a network looks at the text first.
struct TextPlace: Sendable {
    let level: Int
    let layer: Int
    /// Residual blocks before it.
    let residualCount: Int

    /// nil for a network that doesn't look at it on its way down.
    init?(_ levels: [DownBlock]) {
        var count = 0
        for (level, block) in levels.enumerated() {
            for (index, layer) in block.layers.enumerated() {
                count += 1
                guard layer.transformer?.blocks.isEmpty == false else { continue }
                (self.level, self.layer, residualCount) = (level, index, count)
                return
            }
        }
        return nil
    }
}

extension UNet {
    /// What the stem of these latents `[h, w, in]` is made of at a step; nil for a network without a stem.
    func stemOrigin(_ latents: FeatureMap, step: Int, time: TimeEmbeddings) -> Stem.Origin? {
        guard let place = textPlace else { return nil }
        defer { extendLifetime(latents) }
        // Time projections are in the order of the blocks.
        return Stem.Origin(
            height: latents.height, width: latents.width, latents: Array(latents.pixels.floats),
            shifts: (0..<place.residualCount).map { Array(time.shift(block: $0, step: step).floats) })
    }

    /// The stem for `latents` `[h, w, in]`; nil for a network without one.
    ///
    /// - Throws: `Interrupted` when the checkpoint does.
    func stem(
        _ latents: FeatureMap, step: Int, time: TimeEmbeddings, _ pass: Pass
    ) throws(Interrupted) -> Stem? {
        guard let place = textPlace, let origin = stemOrigin(latents, step: step, time: time) else {
            return nil
        }
        let conditions = StepConditions(
            time: time, context: CrossAttentionContext(keysAndValues: []), step: step)
        var x = try enter(latents, pass)
        var skips = [x]
        for block in downBlocks[..<place.level] { x = try block(x, keeping: &skips, conditions, pass) }
        let block = downBlocks[place.level]
        x = try block.run(block.layers[..<place.layer], x, keeping: &skips, conditions, pass)
        let layer = block.layers[place.layer]
        x = try layer.residual(x, conditions, pass)
        guard let transformer = layer.transformer else { preconditionFailure("a place with a transformer") }
        return Stem(
            origin: origin, skips: skips, map: x, question: try transformer.question(x, conditions, pass))
    }

    /// The way down from a stem to the middle; what is kept for the way up begins with the stem's.
    func descend(
        from stem: Stem, keeping skips: inout [FeatureMap], _ conditions: StepConditions, _ pass: Pass
    ) throws(Interrupted) -> FeatureMap {
        guard let place = textPlace else { preconditionFailure("a stem of this network") }
        let block = downBlocks[place.level]
        guard let transformer = block.layers[place.layer].transformer else {
            preconditionFailure("a place with a transformer")
        }
        skips = stem.skips
        var x = try transformer.go(on: stem.question, of: stem.map, conditions, pass)
        skips.append(x)
        x = try block.run(block.layers[(place.layer + 1)...], x, keeping: &skips, conditions, pass)
        x = try block.finish(x, keeping: &skips, conditions, pass)
        for block in downBlocks[(place.level + 1)...] {
            x = try block(x, keeping: &skips, conditions, pass)
        }
        return x
    }
}
