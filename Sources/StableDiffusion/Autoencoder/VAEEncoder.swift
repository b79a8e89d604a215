import Checkpoints
import Tensors

/// What an encoder makes of a picture: for each latent a normal distribution.
struct LatentDistribution: Sendable {
    /// `[h, w, C]`: also the most probable latents.
    let mean: FeatureMap
    /// The logarithm of the variance `[h, w, C]`, from -30 to 20.
    let logVariance: FeatureMap
}

/// One of the encoder's levels: residual blocks, then half the size, except at the coarsest.
struct VAEEncoderLevel: Sendable {
    let blocks: [AutoencoderResidualBlock]
    let downsampling: Convolution?

    init(
        in inputs: Int, out outputs: Int, isCoarsest: Bool, _ config: AutoencoderConfiguration,
        _ reader: LayerReader
    ) throws(CheckpointError) {
        var blocks: [AutoencoderResidualBlock] = []
        for index in 0..<config.layersPerBlock {
            blocks.append(
                try AutoencoderResidualBlock(
                    in: index == 0 ? inputs : outputs, out: outputs, config,
                    reader.scoped("resnets.\(index)")))
        }
        self.blocks = blocks
        // Padded on two sides only.
        downsampling =
            isCoarsest
            ? nil
            : try reader.convolution(
                "downsamplers.0.conv", in: outputs, out: outputs, stride: 2,
                padding: Convolution.Padding(top: 0, left: 0, bottom: 1, right: 1))
    }

    /// `[H / 2, W / 2, out]`, at the coarsest level `[H, W, out]`, of `x` `[H, W, in]`.
    func callAsFunction(_ x: FeatureMap, _ pass: Pass) throws(Interrupted) -> FeatureMap {
        var h = x
        for block in blocks { h = try block(h, pass) }
        guard let downsampling else { return h }
        return try pass.operations.convolve(h, by: downsampling, checkpoint: pass.checkpoint)
    }
}

/// The encoder of an `AutoencoderKL`: a picture to latents.
struct VAEEncoder: Sendable {
    let configuration: AutoencoderConfiguration
    private let input: Convolution
    private let levels: [VAEEncoderLevel]
    private let middle: AutoencoderMiddle
    private let output: AutoencoderOutput
    private let quantization: Convolution?

    /// Reads `encoder.…` and `quant_conv`.
    init(_ config: AutoencoderConfiguration, _ reader: LayerReader) throws(CheckpointError) {
        configuration = config
        let encoder = reader.scoped("encoder")
        var channels = config.levelChannels[0]
        input = try encoder.convolution("conv_in", in: config.pictureChannels, out: channels)
        var levels: [VAEEncoderLevel] = []
        for (index, outputs) in config.levelChannels.enumerated() {
            levels.append(
                try VAEEncoderLevel(
                    in: channels, out: outputs, isCoarsest: index == config.levelChannels.count - 1, config,
                    encoder.scoped("down_blocks.\(index)")))
            channels = outputs
        }
        self.levels = levels
        middle = try AutoencoderMiddle(config, encoder.scoped("mid_block"))
        let moments = 2 * config.latentChannels
        output = try AutoencoderOutput(in: channels, out: moments, config, encoder)
        quantization =
            config.hasQuantConvolution
            ? try reader.convolution("quant_conv", in: moments, out: moments, kernel: 1) : nil
    }

    /// The distribution of the autoencoder's latents `[h, w, C]` of `picture` `[H, W, 3]`, from -1 to 1, whose sides are
    /// multiples of `factor`.
    ///
    /// - Throws: `Interrupted` when the checkpoint does.
    func callAsFunction(
        _ picture: FeatureMap, tiling: PictureTiling = PictureTiling(), _ pass: Pass
    ) throws(Interrupted) -> LatentDistribution {
        let factor = configuration.factor
        precondition(picture.height % factor == 0 && picture.width % factor == 0, "sides of whole latents")
        guard let tile = tiling.pictureTile(picture, configuration) else {
            return distribution(try whole(picture, pass), pass)
        }
        let tiles = MapTiles(tile: tile, outputTile: tile / factor)
        let moments = try tiles(picture, pass) { part throws(Interrupted) in
            try whole(part, pass)
        }
        return distribution(moments, pass)
    }

    /// The moments `[h, w, 2 C]` of `picture` `[H, W, 3]`.
    private func whole(_ picture: FeatureMap, _ pass: Pass) throws(Interrupted) -> FeatureMap {
        var h = try pass.operations.convolve(picture, by: input, checkpoint: pass.checkpoint)
        for level in levels { h = try level(h, pass) }
        h = try output(try middle(h, pass), pass)
        guard let quantization else { return h }
        return try pass.operations.convolve(h, by: quantization, checkpoint: pass.checkpoint)
    }

    private func distribution(_ moments: FeatureMap, _ pass: Pass) -> LatentDistribution {
        let channels = configuration.latentChannels
        let rows = moments.pixels.rows
        let mean = pass.operations.makeTensor(rows: rows, columns: channels)
        let logVariance = pass.operations.makeTensor(rows: rows, columns: channels)
        let source = moments.pixels.floats
        for row in 0..<rows {
            for channel in 0..<channels {
                mean.floats[row * channels + channel] = source[row * 2 * channels + channel]
                logVariance.floats[row * channels + channel] =
                    min(max(source[(row * 2 + 1) * channels + channel], -30), 20)
            }
        }
        extendLifetime(moments)
        return LatentDistribution(
            mean: FeatureMap(height: moments.height, width: moments.width, pixels: mean),
            logVariance: FeatureMap(height: moments.height, width: moments.width, pixels: logVariance))
    }
}
