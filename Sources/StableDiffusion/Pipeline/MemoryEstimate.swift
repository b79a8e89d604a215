/// What a render takes beside the weights, at its peak: an estimate from the sizes of the largest maps.
///
/// The network's peak is on its finest levels, where the maps kept for the way up lie beside those of the layer at work;
/// a decoder's is at its last levels, at the full size or at that of a tile.
struct MemoryEstimate {
    private let parts: ModelParts
    private let width: Int
    private let height: Int
    private let decoder: DecoderKind
    private static let floatSize = 4
    /// Maps of a layer at work: input, its normalised copy, output, residual, and what the kernels arrange anew.
    private static let mapsAtWork = 6
    /// Maps of a decoder's last level at once: what three sizes of an SD 1.5 took, 3 kB a pixel, within 3 %.
    private static let mapsOfDecoder = 3

    init(_ parts: ModelParts, width: Int, height: Int, decoder: DecoderKind) {
        (self.parts, self.width, self.height, self.decoder) = (parts, width, height, decoder)
    }

    /// Bytes, at the peak; encoder, network and decoder work one after the other.
    func bytes(encodesPicture: Bool) -> Int {
        // An encoder passes the same sizes as its decoder.
        let own: DecoderKind = if case .full = parts.autoencoder { .full } else { .tiny }
        let encoding = encodesPicture ? decoding(own) : 0
        return max(network, decoding(decoder), encoding) + fixed
    }

    /// Text, times and latents: small, and the same for each size.
    private var fixed: Int { 32 << 20 }

    private var network: Int {
        let latents = (width / parts.factor) * (height / parts.factor)
        let levels = parts.network.configuration.down
        var kept = 0.0
        var working = 0.0
        var share = 1.0
        for (index, level) in levels.enumerated() {
            kept += share * Double(level.channels * (level.layerCount + 1))
            // On the way up, the level below joins what was kept here.
            let joined = level.channels + levels[min(index + 1, levels.count - 1)].channels
            working = max(working, share * Double(joined * Self.mapsAtWork))
            share /= level.resamples ? 4 : 1
        }
        return Int(Double(latents) * (kept + working)) * Self.floatSize
    }

    private func decoding(_ kind: DecoderKind) -> Int {
        let tiling = PictureTiling()
        let pixels: Int
        let channels: Int
        switch parts.pictureDecoder(kind) {
        case .full(let decoder):
            let configuration = decoder.configuration
            pixels = tiled(tiling, configuration.factor, configuration.sampleSize)
            // The level above is brought to the full size before its channels become fewer.
            channels = configuration.levelChannels.prefix(2).max() ?? 0
        case .tiny(let decoder):
            pixels = tiled(tiling, decoder.configuration.factor, 512)
            channels = decoder.configuration.decoder?.channels ?? 0
        }
        return (pixels * channels * Self.mapsOfDecoder + width * height * 6) * Self.floatSize
    }

    /// Pixels that are decoded at once.
    private func tiled(_ tiling: PictureTiling, _ factor: Int, _ sampleSize: Int) -> Int {
        let tile = tiling.latentTile(
            height: height / factor, width: width / factor, factor: factor, sampleSize: sampleSize)
        guard let tile else { return width * height }
        return min(tile * factor, width) * min(tile * factor, height)
    }
}
