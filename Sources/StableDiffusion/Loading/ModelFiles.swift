import Checkpoints

/// Where the parts of a model lie, and what their files say: opened and checked, before any weight is read.
struct ModelFiles: Sendable {
    /// A network: its configuration and its weights, by the names that diffusers and transformers give them.
    struct Part: Sendable {
        var config: ConfigFile
        var weights: Checkpoint
    }

    /// Where a tokenizer's vocabulary comes from.
    enum Vocabulary: Sendable, Equatable {
        /// A directory with its files.
        case directory(String)
        /// OpenAI's own, padded with this token.
        case standard(pad: String)
    }

    /// A text encoder and its tokenizer.
    struct Text: Sendable {
        var encoder: Part
        var vocabulary: Vocabulary
    }

    /// The path that was opened.
    let path: String
    let family: ModelFamily
    /// diffusers' name of the pipeline, for example StableDiffusionXLPipeline.
    let pipeline: String
    var network: Part
    /// One, or two of models that concatenate what they say (SDXL).
    var texts: [Text]
    /// An AutoencoderKL or an AutoencoderTiny.
    var autoencoder: Part
    /// An AutoencoderTiny beside it.
    var tinyDecoder: TinyDecoderFile?
    /// scheduler_config.json.
    let scheduler: ConfigFile
    /// What the network gives, where that is known from elsewhere than the scheduler's configuration.
    var prediction: Prediction?
    /// Whether an empty negative prompt means zeros instead of what the encoders make of it.
    let zeroesEmptyPrompt: Bool
    /// What the model's index says of how it is used.
    var defaults = RenderDefaults.Written.nothing
    /// Merged into the weights as they are loaded, in this order.
    var loras: [LoRAMerge] = []
    /// In sentences.
    var warnings: [String] = []

    /// A tiny autoencoder that was named by the user.
    enum TinyDecoderFile: Sendable {
        /// A directory of diffusers.
        case part(Part)
        /// A file of TAESD's own.
        case tensors(Checkpoint)

        var weights: Checkpoint {
            switch self {
            case .part(let part): part.weights
            case .tensors(let checkpoint): checkpoint
            }
        }
    }

    /// Opens a diffusers directory, or a single-file checkpoint.
    ///
    /// - Throws: `StableDiffusionError`, `missingPart` for what isn't there; `CheckpointError` for damaged files.
    static func open(
        _ path: String, options: LoadOptions, families: FamilyTable? = nil
    ) throws -> ModelFiles {
        var files: ModelFiles
        if path.hasSuffix(".safetensors") {
            files = try SingleFile(path, families: families ?? .standard()).files(options.prediction)
        } else {
            files = try ModelFolder(path).files()
        }
        if let prediction = options.prediction { files.prediction = prediction }
        if let path = options.tinyDecoder { files.tinyDecoder = try tinyDecoder(path) }
        for lora in options.loras {
            files.loras.append(
                try LoRAMerge(
                    lora, network: files.network, texts: files.texts, warnings: &files.warnings))
        }
        return files
    }

    /// Opens an AutoencoderTiny: a directory, or a file with or without config.json beside it.
    private static func tinyDecoder(_ path: String) throws -> TinyDecoderFile {
        if path.hasSuffix(".safetensors") { return .tensors(try .openTensors(path)) }
        let weights = try Checkpoint.openComponent(path)
        return .part(Part(config: try ConfigFile(weights), weights: weights))
    }

    /// All weights.
    var checkpoints: [Checkpoint] {
        [network.weights, autoencoder.weights] + texts.map(\.encoder.weights)
            + (tinyDecoder.map { [$0.weights] } ?? [])
    }
}
