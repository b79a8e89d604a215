import Checkpoints
import Glibc
import Tensors

// The autoencoder of TAESD (Boer Bohan 2023): convolutions without norms or attention, for quick pictures.
//
// [H, W, C]: rows, columns and channels of a map

/// Three convolutions added to the input, then ReLU.
struct TinyBlock: Sendable {
    let convolutions: [Convolution]
    /// In files whose blocks change the number of channels.
    let skip: Convolution?
    let activation: Activation

    init(channels: Int, _ activation: Activation, _ reader: LayerReader) throws(CheckpointError) {
        var convolutions: [Convolution] = []
        for name in ["conv.0", "conv.2", "conv.4"] {
            convolutions.append(try reader.convolution(name, in: channels, out: channels))
        }
        self.convolutions = convolutions
        skip =
            reader.contains("skip")
            ? try reader.convolution("skip", in: channels, out: channels, kernel: 1) : nil
        self.activation = activation
    }

    /// `[H, W, C]` of `x` `[H, W, C]`.
    func callAsFunction(_ x: FeatureMap, _ pass: Pass) throws(Interrupted) -> FeatureMap {
        let operations = pass.operations
        let residual = try skip.map { skip throws(Interrupted) in
            try operations.convolve(x, by: skip, checkpoint: pass.checkpoint)
        }
        var h = try operations.convolve(
            x, by: convolutions[0], activation: activation, checkpoint: pass.checkpoint)
        h = try operations.convolve(
            h, by: convolutions[1], activation: activation, checkpoint: pass.checkpoint)
        return try operations.convolve(
            h, by: convolutions[2], adding: residual ?? x, activation: .relu, checkpoint: pass.checkpoint)
    }
}

/// A convolution, then blocks: one level of either half.
struct TinyLevel: Sendable {
    let convolution: Convolution
    let blocks: [TinyBlock]

    /// What the level makes of `x` `[H, W, in]`.
    func callAsFunction(
        _ x: FeatureMap, activation: Activation = .none, _ pass: Pass
    ) throws(Interrupted) -> FeatureMap {
        var h = try pass.operations.convolve(
            x, by: convolution, activation: activation, checkpoint: pass.checkpoint)
        for block in blocks { h = try block(h, pass) }
        return h
    }
}

/// The decoder of an `AutoencoderTiny`: latents to a picture.
struct TinyDecoder: Sendable {
    let configuration: TinyAutoencoderConfiguration
    private let levels: [TinyLevel]
    private let output: Convolution

    /// Reads the decoder; nil if the configuration has none.
    init?(
        _ config: TinyAutoencoderConfiguration, layout: TinyAutoencoderConfiguration.Layout = .diffusers,
        _ reader: LayerReader
    ) throws(CheckpointError) {
        guard let half = config.decoder else { return nil }
        configuration = config
        let reader = layout.decoderScope.isEmpty ? reader : reader.scoped(layout.decoderScope)
        var index = layout.decoderStart
        var levels: [TinyLevel] = []
        for (level, count) in half.blockCounts.enumerated() {
            let inputs = level == 0 ? config.latentChannels : half.channels
            let convolution = try reader.convolution("\(index)", in: inputs, out: half.channels)
            // The first is followed by its activation.
            index += level == 0 ? 2 : 1
            var blocks: [TinyBlock] = []
            for _ in 0..<count {
                blocks.append(
                    try TinyBlock(channels: half.channels, config.activation, reader.scoped("\(index)")))
                index += 1
            }
            levels.append(TinyLevel(convolution: convolution, blocks: blocks))
            // The others come after an upsampling.
            if level < half.blockCounts.count - 1 { index += 1 }
        }
        self.levels = levels
        output = try reader.convolution("\(index)", in: half.channels, out: 3)
    }

    /// The picture `[H, W, 3]`, about -1...1, of the autoencoder's `latents` `[h, w, C]`.
    ///
    /// - Throws: `Interrupted` when the checkpoint does.
    func callAsFunction(
        _ latents: FeatureMap, tiling: PictureTiling = PictureTiling(), _ pass: Pass
    ) throws(Interrupted) -> FeatureMap {
        let factor = configuration.factor
        let tile = tiling.latentTile(
            height: latents.height, width: latents.width, factor: factor, sampleSize: 512)
        guard let tile else { return try whole(latents, pass) }
        return try MapTiles(tile: tile, outputTile: tile * factor)(latents, pass) {
            part throws(Interrupted) in try whole(part, pass)
        }
    }

    private func whole(_ latents: FeatureMap, _ pass: Pass) throws(Interrupted) -> FeatureMap {
        let operations = pass.operations
        // Whatever a diffusion model paints stays within what the decoder was trained with.
        let clamped = operations.makeTensor(rows: latents.pixels.rows, columns: latents.channels)
        let (source, target) = (latents.pixels.floats, clamped.floats)
        for index in source.indices { target[index] = tanhf(source[index] / 3) * 3 }
        extendLifetime(latents)
        var h = FeatureMap(height: latents.height, width: latents.width, pixels: clamped)
        for (index, level) in levels.enumerated() {
            if index > 0 {
                let scale = configuration.upsampling
                h = try operations.resizeNearest(
                    h, height: h.height * scale, width: h.width * scale, checkpoint: pass.checkpoint)
            }
            h = try level(h, activation: index == 0 ? configuration.activation : .none, pass)
        }
        h = try operations.convolve(h, by: output, checkpoint: pass.checkpoint)
        for index in h.pixels.floats.indices { h.pixels.floats[index] = h.pixels.floats[index] * 2 - 1 }
        return h
    }
}

/// The encoder of an `AutoencoderTiny`: a picture to latents.
struct TinyEncoder: Sendable {
    let configuration: TinyAutoencoderConfiguration
    private let levels: [TinyLevel]
    private let output: Convolution

    /// Reads the encoder; nil if the configuration has none.
    init?(
        _ config: TinyAutoencoderConfiguration, layout: TinyAutoencoderConfiguration.Layout = .diffusers,
        _ reader: LayerReader
    ) throws(CheckpointError) {
        guard let half = config.encoder else { return nil }
        configuration = config
        let reader = layout.encoderScope.isEmpty ? reader : reader.scoped(layout.encoderScope)
        var index = 0
        var levels: [TinyLevel] = []
        for (level, count) in half.blockCounts.enumerated() {
            let convolution = try reader.convolution(
                "\(index)", in: level == 0 ? 3 : half.channels, out: half.channels,
                stride: level == 0 ? 1 : 2)
            index += 1
            var blocks: [TinyBlock] = []
            for _ in 0..<count {
                blocks.append(
                    try TinyBlock(channels: half.channels, config.activation, reader.scoped("\(index)")))
                index += 1
            }
            levels.append(TinyLevel(convolution: convolution, blocks: blocks))
        }
        self.levels = levels
        output = try reader.convolution("\(index)", in: half.channels, out: config.latentChannels)
    }

    /// The autoencoder's latents `[h, w, C]` of `picture` `[H, W, 3]`, from -1 to 1.
    ///
    /// - Throws: `Interrupted` when the checkpoint does.
    func callAsFunction(
        _ picture: FeatureMap, tiling: PictureTiling = PictureTiling(), _ pass: Pass
    ) throws(Interrupted) -> FeatureMap {
        let factor = 1 << (levels.count - 1)
        precondition(picture.height % factor == 0 && picture.width % factor == 0, "sides of whole latents")
        let tile = tiling.latentTile(
            height: picture.height / factor, width: picture.width / factor, factor: factor, sampleSize: 512)
        guard let tile else { return try whole(picture, pass) }
        return try MapTiles(tile: tile * factor, outputTile: tile)(picture, pass) {
            part throws(Interrupted) in try whole(part, pass)
        }
    }

    private func whole(_ picture: FeatureMap, _ pass: Pass) throws(Interrupted) -> FeatureMap {
        let scaled = pass.operations.makeTensor(rows: picture.pixels.rows, columns: picture.channels)
        let (source, target) = (picture.pixels.floats, scaled.floats)
        for index in source.indices { target[index] = (source[index] + 1) / 2 }
        extendLifetime(picture)
        var h = FeatureMap(height: picture.height, width: picture.width, pixels: scaled)
        for level in levels { h = try level(h, pass) }
        return try pass.operations.convolve(h, by: output, checkpoint: pass.checkpoint)
    }
}
