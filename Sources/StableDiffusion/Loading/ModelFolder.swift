import Checkpoints
import StrictJSON

/// A model as diffusers lays it out: model_index.json names the parts, each in a directory of its own.
struct ModelFolder {
    private let path: String
    private let index: ConfigFile
    private let pipeline: String

    private static let plainPipelines = [
        "StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline",
        "StableDiffusionInpaintPipelineLegacy", "LatentConsistencyModelPipeline",
        "LatentConsistencyModelImg2ImgPipeline",
    ]
    private static let largePipelines = [
        "StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline", "StableDiffusionXLInpaintPipeline",
    ]

    /// Reads model_index.json.
    ///
    /// - Throws: `unsupportedModel` for another kind of model.
    init(_ path: String) throws {
        self.path = path.hasSuffix("/") ? String(path.dropLast()) : path
        let file = self.path + "/model_index.json"
        do {
            index = try ConfigFile(file)
        } catch CheckpointError.cannotOpen {
            throw StableDiffusionError.missingPart(
                path: path, part: "model_index.json",
                expected: "a directory as diffusers saves it, or a .safetensors file")
        }
        guard let pipeline = try index.optionalString("_class_name") else {
            throw index.invalid("_class_name", "the name of a pipeline")
        }
        guard (Self.plainPipelines + Self.largePipelines).contains(pipeline) else {
            throw StableDiffusionError.unsupportedModel(path: path, found: "the pipeline \(quoted(pipeline))")
        }
        self.pipeline = pipeline
    }

    /// The parts, each opened.
    ///
    /// - Throws: `StableDiffusionError`, `CheckpointError`.
    func files() throws -> ModelFiles {
        let isLarge = Self.largePipelines.contains(pipeline)
        if try isLarge && index.optionalBool("requires_aesthetics_score") ?? false {
            throw StableDiffusionError.unsupportedModel(path: path, found: "SDXL's refiner")
        }
        // Cheap things first: what is missing is named before anything large is opened.
        let kinds = ["CLIPTextModel", "CLIPTextModelWithProjection"]
        var parts = [("unet", "diffusion network", ["UNet2DConditionModel"])]
        parts.append(("vae", "VAE", ["AutoencoderKL", "AutoencoderTiny"]))
        parts.append(("text_encoder", "text encoder", kinds))
        if isLarge { parts.append(("text_encoder_2", "second text encoder", kinds)) }
        for (name, part, classes) in parts { try check(name, part, classes) }
        let schedulerPath = path + "/scheduler/scheduler_config.json"
        let scheduler: ConfigFile
        do {
            scheduler = try ConfigFile(schedulerPath)
        } catch CheckpointError.cannotOpen {
            throw missing("scheduler", "scheduler/scheduler_config.json")
        }
        let network = try part("unet", "diffusion network")
        return ModelFiles(
            path: path, family: try family(network, isLarge), pipeline: pipeline, network: network,
            texts: try texts(isLarge), autoencoder: try part("vae", "VAE"), scheduler: scheduler,
            zeroesEmptyPrompt: try isLarge && index.optionalBool("force_zeros_for_empty_prompt") ?? true,
            defaults: try RenderDefaults.Written(index))
    }

    private func texts(_ isLarge: Bool) throws -> [ModelFiles.Text] {
        var texts = [
            ModelFiles.Text(
                encoder: try part("text_encoder", "text encoder"),
                vocabulary: .directory(path + "/tokenizer"))
        ]
        if isLarge {
            texts.append(
                ModelFiles.Text(
                    encoder: try part("text_encoder_2", "second text encoder"),
                    vocabulary: .directory(path + "/tokenizer_2")))
        }
        return texts
    }

    /// Checks what the index says of a part: `[library, class]`, or null when the model has none.
    private func check(_ name: String, _ part: String, _ classes: [String]) throws {
        guard let entry = index.value(name) else { throw missing(part, "\(name) in model_index.json") }
        guard let list = entry.array, list.count == 2 else {
            throw index.invalid(name, "a library and a class")
        }
        if list[1].isNull { throw missing(part, "\(name) in model_index.json, which has null") }
        guard let found = list[1].string else { throw index.invalid(name, "a library and a class") }
        guard classes.contains(found) else {
            throw StableDiffusionError.unsupportedFeature(
                path: path, feature: "\(quoted(found)) as its \(part)")
        }
    }

    private func part(_ name: String, _ part: String) throws -> ModelFiles.Part {
        do {
            let weights = try Checkpoint.openComponent(path + "/" + name)
            return ModelFiles.Part(config: try ConfigFile(weights), weights: weights)
        } catch CheckpointError.unknownFormat {
            let file = part.hasSuffix("encoder") ? "model" : "diffusion_pytorch_model"
            throw missing(part, "\(name)/\(file).safetensors; .bin files can't be read")
        } catch CheckpointError.missingFile(let file, _) {
            throw missing(part, file)
        }
    }

    private func missing(_ part: String, _ expected: String) -> StableDiffusionError {
        .missingPart(path: path, part: part, expected: expected)
    }

    /// SD 2 projects linearly where SD 1 convolves.
    private func family(_ network: ModelFiles.Part, _ isLarge: Bool) throws -> ModelFamily {
        if isLarge { return .stableDiffusionXL }
        let isLinear = try network.config.optionalBool("use_linear_projection") ?? false
        return isLinear ? .stableDiffusion2 : .stableDiffusion1
    }
}
