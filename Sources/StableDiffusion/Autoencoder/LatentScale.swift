import Tensors

/// How the latents that a diffusion model paints differ from those that its autoencoder speaks.
///
/// The model's have a spread of about one (Rombach et al. 2022, D.1).
struct LatentScale: Sendable, Equatable {
    /// What the autoencoder's latents are multiplied by.
    let factor: Float
    /// What is taken from them before.
    let shift: Float
    /// For each channel, in models that say so: taken instead of `shift`, and divided by.
    let mean: [Float]?, deviation: [Float]?

    /// A scale that is the same for all channels.
    init(factor: Float, shift: Float = 0) {
        self.factor = factor
        self.shift = shift
        mean = nil
        deviation = nil
    }

    /// The scale in an autoencoder's configuration.
    ///
    /// - Throws: `invalidConfiguration`.
    init(
        _ file: ConfigFile, channels: Int, defaultFactor: Float
    ) throws(StableDiffusionError) {
        factor = try file.float("scaling_factor", in: 1e-6...1e6, default: defaultFactor)
        shift = try file.float("shift_factor", in: -1e6...1e6, default: 0)
        mean = try file.optionalFloats("latents_mean", count: channels, in: -1e6...1e6)
        deviation = try file.optionalFloats("latents_std", count: channels, in: 1e-6...1e6)
        guard (mean == nil) == (deviation == nil) else {
            throw file.invalid("latents_std", "as many numbers as latents_mean")
        }
    }

    /// The diffusion model's latents for the autoencoder's `latents`, both `[h, w, C]`.
    func modelLatents(_ latents: FeatureMap, _ operations: Operations) -> FeatureMap {
        mapped(latents, operations) { value, channel in
            let centred = value - (mean?[channel] ?? shift)
            return centred * factor / (deviation?[channel] ?? 1)
        }
    }

    /// The autoencoder's latents for the diffusion model's `latents`, both `[h, w, C]`.
    func autoencoderLatents(_ latents: FeatureMap, _ operations: Operations) -> FeatureMap {
        mapped(latents, operations) { value, channel in
            value * (deviation?[channel] ?? 1) / factor + (mean?[channel] ?? shift)
        }
    }

    private func mapped(
        _ latents: FeatureMap, _ operations: Operations, _ value: (Float, Int) -> Float
    ) -> FeatureMap {
        let result = operations.makeTensor(rows: latents.pixels.rows, columns: latents.channels)
        let (source, target) = (latents.pixels.floats, result.floats)
        for index in source.indices { target[index] = value(source[index], index % latents.channels) }
        extendLifetime(latents)
        return FeatureMap(height: latents.height, width: latents.width, pixels: result)
    }
}
