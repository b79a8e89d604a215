import Checkpoints

/// The configurations of a model's parts, decoded and checked against each other; no weight is read.
struct ModelPlan: Sendable {
    enum Autoencoder: Sendable {
        case full(AutoencoderConfiguration)
        case tiny(TinyAutoencoderConfiguration)

        /// Pixels for each latent, in each direction.
        var factor: Int {
            switch self {
            case .full(let config): config.factor
            case .tiny(let config): config.factor
            }
        }

        var latentChannels: Int {
            switch self {
            case .full(let config): config.latentChannels
            case .tiny(let config): config.latentChannels
            }
        }
    }

    let network: UNetConfiguration
    let textEncoders: [TextEncoderConfiguration]
    let autoencoder: Autoencoder
    let tinyDecoder: (config: TinyAutoencoderConfiguration, layout: TinyAutoencoderConfiguration.Layout)?
    let scheduler: SchedulerFile

    /// - Throws: `StableDiffusionError` for parts that this engine doesn't have, or that don't fit together.
    init(_ files: ModelFiles) throws {
        network = try UNetConfiguration(files.network.config)
        textEncoders = try files.texts.map { try TextEncoderConfiguration($0.encoder.config) }
        let config = files.autoencoder.config
        autoencoder =
            try config.optionalString("_class_name") == "AutoencoderTiny"
            ? .tiny(TinyAutoencoderConfiguration(config)) : .full(AutoencoderConfiguration(config))
        tinyDecoder =
            switch files.tinyDecoder {
            case nil: nil
            case .part(let part): (try TinyAutoencoderConfiguration(part.config), .diffusers)
            case .tensors(let checkpoint): try TinyAutoencoderConfiguration.recognized(in: checkpoint)
            }
        // The reference overrules old schedulers' files in the first pipelines only.
        let isFirst = files.pipeline.hasPrefix("StableDiffusion") && files.family != .stableDiffusionXL
        scheduler = try SchedulerFile(files.scheduler, isCorrected: isFirst)
        try checkNetwork(files)
        try checkTexts(files)
        try checkTinyDecoder(files)
    }

    private func checkNetwork(_ files: ModelFiles) throws(StableDiffusionError) {
        let (config, channels) = (files.network.config, autoencoder.latentChannels)
        if network.inputChannels > channels, network.outputChannels == channels {
            throw config.unsupported("\(network.inputChannels) input channels (a model made for inpainting)")
        }
        for (key, found) in [
            ("in_channels", network.inputChannels), ("out_channels", network.outputChannels),
        ]
        where found != channels {
            throw config.invalid(key, "the \(channels) channels of the VAE's latents")
        }
    }

    private func checkTexts(_ files: ModelFiles) throws(StableDiffusionError) {
        let size = textEncoders.reduce(0) { $0 + $1.hiddenSize }
        guard network.contextSize == size else {
            throw files.network.config.invalid(
                "cross_attention_dim", "the \(size) columns that the text encoders give")
        }
        guard Set(textEncoders.map(\.contextLength)).count == 1 else {
            throw files.network.config.unsupported("text encoders of different lengths")
        }
        let key = "addition_embed_type"
        switch (files.family, network.added) {
        case (.stableDiffusionXL, let added?):
            guard let last = files.texts.last, let projection = textEncoders.last?.projectionSize,
                last.encoder.weights.shape(of: "text_projection.weight") != nil
            else {
                throw .missingPart(
                    path: files.path, part: "projection of the second text encoder",
                    expected: "text_projection.weight")
            }
            let size = projection + 6 * added.timeEmbeddingSize
            guard added.inputSize == size else {
                throw files.network.config.invalid(
                    "projection_class_embeddings_input_dim",
                    "\(size): the projected text and six numbers")
            }
        case (.stableDiffusionXL, nil): throw files.network.config.invalid(key, "text_time")
        case (_, nil): break
        case (_, .some): throw files.network.config.unsupported("\(key) with one text encoder")
        }
    }

    private func checkTinyDecoder(_ files: ModelFiles) throws(StableDiffusionError) {
        guard let tiny = tinyDecoder?.config, let path = files.tinyDecoder?.weights.path else { return }
        guard tiny.decoder != nil else {
            throw .missingPart(path: path, part: "tiny decoder", expected: "a decoder beside the encoder")
        }
        guard tiny.latentChannels == autoencoder.latentChannels, tiny.factor == autoencoder.factor else {
            throw .invalidConfiguration(
                file: path, key: "the tiny decoder",
                expected:
                    "\(autoencoder.latentChannels) latent channels and a factor of \(autoencoder.factor)",
                found: "\(tiny.latentChannels) and \(tiny.factor)")
        }
    }
}
