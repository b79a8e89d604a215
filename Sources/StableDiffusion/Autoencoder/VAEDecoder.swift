import Checkpoints
import Tensors

/// One of the decoder's levels: residual blocks, then twice the size, except at the finest.
struct VAEDecoderLevel: Sendable {
    let blocks: [AutoencoderResidualBlock]
    let upsampling: Convolution?

    init(
        in inputs: Int, out outputs: Int, isFinest: Bool, _ config: AutoencoderConfiguration,
        _ reader: LayerReader
    ) throws(CheckpointError) {
        var blocks: [AutoencoderResidualBlock] = []
        for index in 0...config.layersPerBlock {
            blocks.append(
                try AutoencoderResidualBlock(
                    in: index == 0 ? inputs : outputs, out: outputs, config,
                    reader.scoped("resnets.\(index)")))
        }
        self.blocks = blocks
        upsampling =
            isFinest ? nil : try reader.convolution("upsamplers.0.conv", in: outputs, out: outputs)
    }

    /// `[2 H, 2 W, out]`, at the finest level `[H, W, out]`, of `x` `[H, W, in]`.
    func callAsFunction(_ x: FeatureMap, _ pass: Pass) throws(Interrupted) -> FeatureMap {
        var h = x
        for block in blocks { h = try block(h, pass) }
        guard let upsampling else { return h }
        h = try pass.operations.resizeNearest(
            h, height: 2 * h.height, width: 2 * h.width, checkpoint: pass.checkpoint)
        return try pass.operations.convolve(h, by: upsampling, checkpoint: pass.checkpoint)
    }
}

/// The decoder of an `AutoencoderKL`: latents to a picture.
struct VAEDecoder: Sendable {
    let configuration: AutoencoderConfiguration
    private let postQuantization: Convolution?
    private let input: Convolution
    private let middle: AutoencoderMiddle
    private let levels: [VAEDecoderLevel]
    private let output: AutoencoderOutput

    /// Reads `decoder.…` and `post_quant_conv`.
    init(_ config: AutoencoderConfiguration, _ reader: LayerReader) throws(CheckpointError) {
        configuration = config
        postQuantization =
            config.hasPostQuantConvolution
            ? try reader.convolution(
                "post_quant_conv", in: config.latentChannels, out: config.latentChannels, kernel: 1) : nil
        let decoder = reader.scoped("decoder")
        var channels = config.levelChannels[config.levelChannels.count - 1]
        input = try decoder.convolution("conv_in", in: config.latentChannels, out: channels)
        middle = try AutoencoderMiddle(config, decoder.scoped("mid_block"))
        var levels: [VAEDecoderLevel] = []
        for (index, outputs) in config.levelChannels.reversed().enumerated() {
            levels.append(
                try VAEDecoderLevel(
                    in: channels, out: outputs, isFinest: index == config.levelChannels.count - 1, config,
                    decoder.scoped("up_blocks.\(index)")))
            channels = outputs
        }
        self.levels = levels
        output = try AutoencoderOutput(in: channels, out: config.pictureChannels, config, decoder)
    }

    /// The picture `[H, W, 3]`, black -1 and white 1, of the autoencoder's `latents` `[h, w, C]`.
    ///
    /// - Parameters:
    ///   - latents: as the encoder gives them; those of a diffusion model go through `latentScale` first.
    ///   - tiling: how pictures are decoded in parts, and from which size on.
    ///   - pass: what computes.
    /// - Returns: colours that may lie a little beyond the range.
    /// - Throws: `Interrupted` when the checkpoint does.
    func callAsFunction(
        _ latents: FeatureMap, tiling: PictureTiling = PictureTiling(), _ pass: Pass
    ) throws(Interrupted) -> FeatureMap {
        guard let tile = tiling.latentTile(latents, configuration) else { return try whole(latents, pass) }
        let tiles = MapTiles(tile: tile, outputTile: tile * configuration.factor)
        return try tiles(latents, pass) { part throws(Interrupted) in try whole(part, pass) }
    }

    private func whole(_ latents: FeatureMap, _ pass: Pass) throws(Interrupted) -> FeatureMap {
        var h = latents
        if let postQuantization {
            h = try pass.operations.convolve(h, by: postQuantization, checkpoint: pass.checkpoint)
        }
        h = try pass.operations.convolve(h, by: input, checkpoint: pass.checkpoint)
        h = try middle(h, pass)
        for level in levels { h = try level(h, pass) }
        return try output(h, pass)
    }
}
