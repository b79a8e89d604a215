import Checkpoints
import Tensors
import Tokenizers

/// The networks of a model, built and prepared: what `DiffusionModel` renders with.
struct ModelParts: Sendable {
    /// A text encoder and its tokenizer.
    struct Text: Sendable {
        let tokenizer: CLIPTokenizer
        let encoder: TextEncoder
    }

    /// How pictures become latents and latents pictures.
    enum Autoencoder: Sendable {
        case full(encoder: VAEEncoder, decoder: VAEDecoder)
        case tiny(encoder: TinyEncoder?, decoder: TinyDecoder)
    }

    let family: ModelFamily
    let network: UNet
    let texts: [Text]
    let autoencoder: Autoencoder
    /// Beside the model's own.
    let tinyDecoder: TinyDecoder?
    let scheduler: SchedulerFile
    /// Overrules the scheduler's configuration; nil where that counts.
    let prediction: Prediction?
    let zeroesEmptyPrompt: Bool
    let writtenDefaults: RenderDefaults.Written

    /// Builds all networks, converting and packing each weight once.
    ///
    /// - Parameters:
    ///   - files: the opened model.
    ///   - operations: what packs.
    ///   - progress: told how much is done, from 0 to 1.
    ///   - checkpoint: called after each block of a network.
    /// - Throws: `CheckpointError`, `StableDiffusionError`; `Interrupted` when `checkpoint` does.
    init(
        _ files: ModelFiles, operations: Operations, progress: (Double) -> Void = { _ in },
        checkpoint: InterruptionCheck = {}
    ) throws {
        let plan = try ModelPlan(files)
        let total = Double(max(files.checkpoints.reduce(0) { $0 + $1.byteCount }, 1))
        var done = 0
        func reader(_ weights: Checkpoint, _ part: LoRAKey.Part? = nil) -> LayerReader {
            var weights = weights
            if let part {
                for lora in files.loras { weights = lora.merged(weights, part, operations) }
            }
            return LayerReader(weights: weights.weights(), operations: operations)
        }
        func finished(_ weights: Checkpoint) throws(Interrupted) {
            done += weights.byteCount
            progress(Double(done) / total)
            try checkpoint()
        }
        family = files.family
        scheduler = plan.scheduler
        prediction = files.prediction
        zeroesEmptyPrompt = files.zeroesEmptyPrompt
        writtenDefaults = files.defaults

        progress(0)
        var texts: [Text] = []
        for (index, (text, config)) in zip(files.texts, plan.textEncoders).enumerated() {
            texts.append(
                Text(
                    tokenizer: try Self.tokenizer(text.vocabulary, config, path: files.path),
                    encoder: try TextEncoder(config, reader(text.encoder.weights, .text(index)))))
            try finished(text.encoder.weights)
        }
        self.texts = texts
        // The network is most of it: its blocks count one by one.
        let (before, bytes) = (Double(done), Double(files.network.weights.byteCount))
        let blocks = Double(2 * plan.network.levelCount + 1)
        var block = 0.0
        network = try UNet(plan.network, reader(files.network.weights, .network)) { () throws(Interrupted) in
            progress((before + bytes * min(block / blocks, 1)) / total)
            block += 1
            try checkpoint()
        }
        try finished(files.network.weights)
        let autoencoderReader = reader(files.autoencoder.weights)
        switch plan.autoencoder {
        case .full(let config):
            autoencoder = .full(
                encoder: try VAEEncoder(config, autoencoderReader),
                decoder: try VAEDecoder(config, autoencoderReader))
        case .tiny(let config):
            guard let decoder = try TinyDecoder(config, autoencoderReader) else {
                throw StableDiffusionError.missingPart(
                    path: files.path, part: "VAE", expected: "a decoder")
            }
            autoencoder = .tiny(encoder: try TinyEncoder(config, autoencoderReader), decoder: decoder)
        }
        try finished(files.autoencoder.weights)
        if let tiny = plan.tinyDecoder, let weights = files.tinyDecoder?.weights {
            tinyDecoder = try TinyDecoder(tiny.config, layout: tiny.layout, reader(weights))
            try finished(weights)
        } else {
            tinyDecoder = nil
        }
        progress(1)
        for weights in files.checkpoints { try weights.checkUnchanged() }
    }

    private static func tokenizer(
        _ vocabulary: ModelFiles.Vocabulary, _ config: TextEncoderConfiguration, path: String
    ) throws -> CLIPTokenizer {
        let tokenizer =
            switch vocabulary {
            case .directory(let directory): try CLIPTokenizer(directory: directory)
            case .standard(let pad): try CLIPTokenizer.standard(pad: pad)
            }
        // A token beyond the embedding's rows has no meaning, and no memory.
        guard tokenizer.vocabularySize <= config.vocabularySize else {
            throw StableDiffusionError.invalidConfiguration(
                file: path, key: "vocab_size", expected: "\(tokenizer.vocabularySize) tokens or more",
                found: "\(config.vocabularySize)")
        }
        guard tokenizer.contextLength <= config.contextLength else {
            throw StableDiffusionError.invalidConfiguration(
                file: path, key: "model_max_length", expected: "at most \(config.contextLength)",
                found: "\(tokenizer.contextLength)")
        }
        return tokenizer
    }
}
