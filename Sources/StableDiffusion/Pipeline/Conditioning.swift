import Tensors

/// What the text encoders made of a prompt: the same for every step, size and seed, so it can be kept.
public struct Conditioning: Sendable {
    /// The features of one text.
    struct Embedding: Sendable {
        /// The rows that the network attends to, `[77, hiddenSize]`.
        let context: Tensor
        /// The whole text as one row `[1, P]`, of models that take one.
        let pooled: Tensor?
    }

    let prompt: Embedding
    /// Of the negative prompt; nil without guidance.
    let negative: Embedding?
}

/// What the encoder made of a start picture: independent of seed, strength and steps, so it can be kept.
public struct EncodedPicture: Sendable {
    /// Mean of the latents' distribution `[h, w, C]`, not yet scaled.
    let mean: FeatureMap
    /// Its logarithmic variance `[h, w, C]`.
    let logVariance: FeatureMap
}
