import Checkpoints
import Tensors

/// Projections whose results don't change from step to step; the layers know their places.
struct SharedProjections: Sendable {
    /// Of the time, for each residual block.
    private(set) var time: [Linear] = []
    /// Of the context, for each attention that looks at it.
    private(set) var context: [(key: Linear, value: Linear)] = []

    mutating func addTime(_ projection: Linear) -> Int {
        time.append(projection)
        return time.count - 1
    }

    mutating func addContext(key: Linear, value: Linear) -> Int {
        context.append((key, value))
        return context.count - 1
    }
}

/// The keys and values of a text for every attention that looks at it: computed once, used at every step.
struct CrossAttentionContext: Sendable {
    /// For each attention `[T, C]`.
    let keysAndValues: [(keys: Tensor, values: Tensor)]

    /// What they take.
    var byteCount: Int { keysAndValues.reduce(0) { $0 + 8 * $1.keys.rows * $1.keys.columns } }
}

/// What a step gives to every layer beside the picture.
struct StepConditions: Sendable {
    let time: TimeEmbeddings
    let context: CrossAttentionContext
    /// The position in the schedule.
    let step: Int
}

/// A residual block, and a transformer after it where the level has them.
struct UNetLayer: Sendable {
    let residual: ResidualBlock
    let transformer: SpatialTransformer?

    init(
        _ config: UNetConfiguration, _ reader: LayerReader, index: Int, in inputs: Int, out outputs: Int,
        _ transformers: UNetConfiguration.Transformers?, _ projections: inout SharedProjections
    ) throws(CheckpointError) {
        residual = try ResidualBlock(
            config, reader.scoped("resnets.\(index)"), in: inputs, out: outputs, &projections)
        if let transformers {
            transformer = try SpatialTransformer(
                config, reader.scoped("attentions.\(index)"), channels: outputs,
                depth: transformers.depths[index], transformers, &projections)
        } else {
            transformer = nil
        }
    }

    func callAsFunction(
        _ x: FeatureMap, _ conditions: StepConditions, _ pass: Pass
    ) throws(Interrupted) -> FeatureMap {
        let h = try residual(x, conditions, pass)
        return try transformer?(h, conditions, pass) ?? h
    }
}

/// One level of the way down: what each layer gives is kept for the way up.
struct DownBlock: Sendable {
    let layers: [UNetLayer]
    let downsampler: Convolution?
    private let extendsMap: Bool

    init(
        _ config: UNetConfiguration, _ level: UNetConfiguration.Level, _ reader: LayerReader,
        _ projections: inout SharedProjections
    ) throws(CheckpointError) {
        var layers: [UNetLayer] = []
        for index in 0..<level.layerCount {
            layers.append(
                try UNetLayer(
                    config, reader, index: index, in: index == 0 ? level.inputChannels : level.channels,
                    out: level.channels, level.transformers, &projections))
        }
        self.layers = layers
        extendsMap = config.downsamplePadding == 0
        downsampler =
            level.resamples
            ? try reader.convolution(
                "downsamplers.0.conv", in: level.channels, out: level.channels, stride: 2,
                padding: extendsMap ? Convolution.Padding(top: 0, left: 0, bottom: 1, right: 1) : .all(1),
                biased: true)
            : nil
    }

    func callAsFunction(
        _ x: FeatureMap, keeping skips: inout [FeatureMap], _ conditions: StepConditions, _ pass: Pass
    ) throws(Interrupted) -> FeatureMap {
        try finish(
            run(layers[...], x, keeping: &skips, conditions, pass), keeping: &skips, conditions, pass)
    }

    /// Some of the layers.
    func run(
        _ layers: ArraySlice<UNetLayer>, _ x: FeatureMap, keeping skips: inout [FeatureMap],
        _ conditions: StepConditions, _ pass: Pass
    ) throws(Interrupted) -> FeatureMap {
        var x = x
        for layer in layers {
            x = try layer(x, conditions, pass)
            skips.append(x)
        }
        return x
    }

    /// What follows the layers.
    func finish(
        _ x: FeatureMap, keeping skips: inout [FeatureMap], _ conditions: StepConditions, _ pass: Pass
    ) throws(Interrupted) -> FeatureMap {
        guard let downsampler else { return x }
        let x = try pass.operations.convolve(x, by: downsampler, checkpoint: pass.checkpoint)
        skips.append(x)
        return x
    }
}

/// What lies between: residual blocks, with a transformer between two of them.
struct MiddleBlock: Sendable {
    let first: ResidualBlock
    let transformer: SpatialTransformer?
    let second: ResidualBlock?

    /// nil for a network without a middle.
    init?(
        _ config: UNetConfiguration, _ reader: LayerReader, _ projections: inout SharedProjections
    ) throws(CheckpointError) {
        if case .none = config.middle { return nil }
        let channels = config.middleChannels
        first = try ResidualBlock(
            config, reader.scoped("resnets.0"), in: channels, out: channels, &projections)
        guard case .crossAttention(let settings) = config.middle else {
            (transformer, second) = (nil, nil)
            return
        }
        transformer = try SpatialTransformer(
            config, reader.scoped("attentions.0"), channels: channels, depth: settings.depths[0], settings,
            &projections)
        second = try ResidualBlock(
            config, reader.scoped("resnets.1"), in: channels, out: channels, &projections)
    }

    func callAsFunction(
        _ x: FeatureMap, _ conditions: StepConditions, _ pass: Pass
    ) throws(Interrupted) -> FeatureMap {
        var x = try first(x, conditions, pass)
        if let transformer { x = try transformer(x, conditions, pass) }
        if let second { x = try second(x, conditions, pass) }
        return x
    }
}

/// One level of the way up: each layer takes what one of the way down gave.
struct UpBlock: Sendable {
    let layers: [UNetLayer]
    let upsampler: Convolution?

    init(
        _ config: UNetConfiguration, _ level: UNetConfiguration.Level, _ reader: LayerReader,
        _ projections: inout SharedProjections
    ) throws(CheckpointError) {
        var layers: [UNetLayer] = []
        for index in 0..<level.layerCount {
            let inputs = index == 0 ? level.inputChannels : level.channels
            layers.append(
                try UNetLayer(
                    config, reader, index: index, in: inputs + level.skipChannels[index],
                    out: level.channels, level.transformers, &projections))
        }
        self.layers = layers
        upsampler =
            level.resamples
            ? try reader.convolution(
                "upsamplers.0.conv", in: level.channels, out: level.channels, biased: true) : nil
    }

    func callAsFunction(
        _ x: FeatureMap, taking skips: inout [FeatureMap], _ conditions: StepConditions, _ pass: Pass
    ) throws(Interrupted) -> FeatureMap {
        var x = x
        for layer in layers {
            x = pass.operations.concatenate(x, skips.removeLast())
            x = try layer(x, conditions, pass)
        }
        guard let upsampler, let next = skips.last else { return x }
        // To the size of what comes next: an odd length was halved upwards.
        x = try pass.operations.resizeNearest(
            x, height: next.height, width: next.width, checkpoint: pass.checkpoint)
        return try pass.operations.convolve(x, by: upsampler, checkpoint: pass.checkpoint)
    }
}
