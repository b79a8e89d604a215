import Tensors

/// Colours straight from latents, one pixel for each: for previews where no decoder is quick enough.
struct LatentProjection: Sendable {
    /// For each latent channel what it adds to red, green and blue, of which black is -1 and white 1.
    let factors: [SIMD3<Float>]
    let bias: SIMD3<Float>

    /// For the autoencoder of SD 1 and 2: keturn's measurement of SD 1.4
    /// (https://discuss.huggingface.co/t/decoding-latents-to-rgb-without-upscaling/23204, 2022).
    static let stableDiffusion = LatentProjection(
        factors: [
            SIMD3(0.298, 0.207, 0.208), SIMD3(0.187, 0.286, 0.173), SIMD3(-0.158, 0.189, 0.264),
            SIMD3(-0.184, -0.271, -0.473),
        ], bias: .zero)

    /// For the autoencoder of SDXL: Timothy Alexis Vass's, in diffusers' documentation, where black is 0 and white 255
    /// (https://huggingface.co/blog/TimothyAlexisVass/explaining-the-sdxl-latent-space, 2023).
    static let stableDiffusionXL = LatentProjection(
        factors: [SIMD3(60, 60, 60), SIMD3(-60, -5, 10), SIMD3(25, 15, -5), SIMD3(-70, -50, -35)]
            .map { $0 / 127.5 },
        bias: SIMD3(150, 140, 130) / 127.5 - 1)

    /// For any other autoencoder: the mean of all channels as grey.
    ///
    /// The outlines of a picture show in it, whatever the channels mean.
    static func grey(channels: Int) -> LatentProjection {
        LatentProjection(
            factors: [SIMD3<Float>](
                repeating: SIMD3(repeating: 1 / Float(channels).squareRoot() / 2), count: channels),
            bias: .zero)
    }

    /// `[h, w, 3]`, about -1...1, of the diffusion model's `latents` `[h, w, C]`.
    func callAsFunction(_ latents: FeatureMap, _ pass: Pass) -> FeatureMap {
        precondition(latents.channels == factors.count, "latents of another autoencoder")
        let result = pass.operations.makeTensor(rows: latents.pixels.rows, columns: 3)
        let (source, target) = (latents.pixels.floats, result.floats)
        for row in 0..<latents.pixels.rows {
            var color = bias
            for (channel, factor) in factors.enumerated() {
                color += source[row * factors.count + channel] * factor
            }
            for c in 0..<3 { target[row * 3 + c] = color[c] }
        }
        extendLifetime(latents)
        return FeatureMap(height: latents.height, width: latents.width, pixels: result)
    }
}
