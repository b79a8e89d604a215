import Tensors

// Between pictures and the latents of a diffusion model.

extension ModelParts {
    /// Pixels for each latent, in a row or a column.
    var factor: Int {
        switch autoencoder {
        case .full(_, let decoder): decoder.configuration.factor
        case .tiny(_, let decoder): decoder.configuration.factor
        }
    }

    var latentChannels: Int {
        switch autoencoder {
        case .full(_, let decoder): decoder.configuration.latentChannels
        case .tiny(_, let decoder): decoder.configuration.latentChannels
        }
    }

    /// The scale of the model's own autoencoder.
    var latentScale: LatentScale {
        switch autoencoder {
        case .full(_, let decoder): decoder.configuration.latentScale
        case .tiny(_, let decoder): decoder.configuration.latentScale
        }
    }

    /// Whether pictures can be turned into latents.
    var encodesPictures: Bool {
        switch autoencoder {
        case .full: true
        case .tiny(let encoder, _): encoder != nil
        }
    }

    /// The decoders that there are, the default first.
    var decoders: [DecoderKind] {
        switch autoencoder {
        case .full: tinyDecoder == nil ? [.full] : [.full, .tiny]
        case .tiny: [.tiny]
        }
    }

    /// What becomes of `picture` `[H, W, 3]`, from -1 to 1.
    func encode(_ picture: FeatureMap, _ pass: Pass) throws(Interrupted) -> EncodedPicture {
        switch autoencoder {
        case .full(let encoder, _):
            return EncodedPicture(content: .distribution(try encoder(picture, pass)))
        case .tiny(let encoder, _):
            guard let encoder else { preconditionFailure("an autoencoder with an encoder") }
            return EncodedPicture(content: .latents(try encoder(picture, pass)))
        }
    }

    /// The picture `[H, W, 3]`, about -1...1, of the diffusion model's `latents` `[h, w, C]`.
    func decode(
        _ latents: FeatureMap, with kind: DecoderKind, _ pass: Pass
    ) throws(Interrupted) -> FeatureMap {
        switch pictureDecoder(kind) {
        case .full(let decoder):
            let scale = decoder.configuration.latentScale
            return try decoder(scale.autoencoderLatents(latents, pass.operations), pass)
        case .tiny(let decoder):
            let scale = decoder.configuration.latentScale
            return try decoder(scale.autoencoderLatents(latents, pass.operations), pass)
        }
    }

    /// A decoder, which must be one of `decoders`.
    func pictureDecoder(_ kind: DecoderKind) -> PictureDecoder {
        switch (kind, autoencoder) {
        case (.full, .full(_, let decoder)): return .full(decoder)
        case (.tiny, .tiny(_, let decoder)): return .tiny(tinyDecoder ?? decoder)
        case (.tiny, .full):
            guard let tinyDecoder else { preconditionFailure("a decoder that the model has") }
            return .tiny(tinyDecoder)
        case (.full, .tiny): preconditionFailure("a decoder that the model has")
        }
    }

    /// Colours straight from latents, for the autoencoder that models of this family share.
    var projection: LatentProjection {
        guard latentChannels == 4, case .full = autoencoder else { return .grey(channels: latentChannels) }
        return family == .stableDiffusionXL ? .stableDiffusionXL : .stableDiffusion
    }
}

/// One of a model's decoders.
enum PictureDecoder: Sendable {
    case full(VAEDecoder)
    case tiny(TinyDecoder)
}
