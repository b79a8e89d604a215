import Glibc
import Tensors

/// What the text encoders made of a prompt: the same for every step, size and seed, so it can be kept.
public struct Conditioning: Sendable {
    let prompt: PromptEmbedding
    /// Of the negative prompt; nil without guidance.
    let negative: PromptEmbedding?
    /// What the prompt is padded with; nil where it has its own padding.
    var blank: BlankText?
}

/// What the encoder made of a start picture: independent of seed, strength and steps, so it can be kept.
public struct EncodedPicture: Sendable {
    enum Content: Sendable {
        /// Latents are drawn from it, by the render's own random numbers.
        case distribution(LatentDistribution)
        case latents(FeatureMap)
    }

    let content: Content

    /// What it takes.
    public var byteCount: Int {
        switch content {
        case .distribution(let distribution): 2 * distribution.mean.byteCount
        case .latents(let latents): latents.byteCount
        }
    }

    /// The autoencoder's latents `[h, w, C]`; draws as many numbers as there are, where it draws any.
    func latents(_ generator: inout TorchGenerator) -> FeatureMap {
        switch content {
        case .latents(let latents): return latents
        case .distribution(let distribution):
            let mean = distribution.mean
            let noise = generator.noise(height: mean.height, width: mean.width, channels: mean.channels)
            return distribution.sample(noise)
        }
    }
}

extension LatentDistribution {
    /// mean + deviation · `noise`, all `[h, w, C]`.
    func sample(_ noise: FeatureMap) -> FeatureMap {
        let result = Tensor(rows: mean.pixels.rows, columns: mean.channels)
        let (means, variances) = (mean.pixels.floats, logVariance.pixels.floats)
        for index in result.floats.indices {
            result.floats[index] =
                means[index] + expf(0.5 * variances[index]) * noise.pixels.floats[index]
        }
        extendLifetime((mean, logVariance, noise))
        return FeatureMap(height: mean.height, width: mean.width, pixels: result)
    }
}

extension FeatureMap {
    /// What its pixels take.
    fileprivate var byteCount: Int { 4 * pixels.rows * pixels.columns }
}
