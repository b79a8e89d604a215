import Checkpoints
import StrictJSON

/// A whole model in one `.safetensors` file, as CompVis laid it out and most tools save it: recognised by the names and
/// shapes of its tensors.
///
/// Such a file brings no configuration. What its tensors show (levels, channels, depths) comes from them, the rest from
/// the families' table. Networks are built by diffusers' names; here the file's own are mapped to those once, by pure
/// functions, since the two layouts nest differently and share weights (one matrix for queries, keys and values).
struct SingleFile {
    let path: String
    let checkpoint: Checkpoint
    /// All tensors' names, for walks.
    let names: Set<String>
    let family: ModelFamily
    let row: FamilyTable.Family

    private static let network = "model.diffusion_model."
    static let autoencoder = "first_stage_model."

    /// Opens the file and recognises its family.
    ///
    /// - Throws: `unsupportedModel` for other files, `missingPart` for a file without text encoder or VAE.
    init(_ path: String, families: FamilyTable) throws {
        self.path = path
        checkpoint = try .openTensors(path)
        names = Set(checkpoint.tensorNames)
        family = try Self.family(names, path)
        row = try families[family]
    }

    private static func family(_ names: Set<String>, _ path: String) throws(StableDiffusionError)
        -> ModelFamily
    {
        guard names.contains(network + "input_blocks.0.0.weight") else {
            let isNetwork = names.contains { $0.hasPrefix("down_blocks.") }
            throw .unsupportedModel(
                path: path,
                found: isNetwork
                    ? "a diffusion network of diffusers' without the other parts (open its whole directory)"
                    : "tensors of another kind")
        }
        func has(_ prefix: String) -> Bool { names.contains { $0.hasPrefix(prefix) } }
        if !has(autoencoder + "decoder.") {
            throw .missingPart(path: path, part: "VAE", expected: autoencoder + "decoder")
        }
        if has("conditioner.embedders.0.transformer.") {
            guard has("conditioner.embedders.1.model.") else {
                throw .missingPart(
                    path: path, part: "second text encoder", expected: "conditioner.embedders.1.model")
            }
            return .stableDiffusionXL
        }
        if has("conditioner.embedders.0.model.") {
            throw .unsupportedModel(path: path, found: "SDXL's refiner")
        }
        if has("cond_stage_model.model.") { return .stableDiffusion2 }
        if has("cond_stage_model.transformer.") { return .stableDiffusion1 }
        throw .missingPart(
            path: path, part: "text encoder", expected: "cond_stage_model or conditioner.embedders")
    }

    /// The parts, by the names that networks ask for; `prediction` overrules what the file says.
    ///
    /// - Throws: `StableDiffusionError` for a structure that no configuration describes, `CheckpointError`.
    func files(_ prediction: Prediction?) throws -> ModelFiles {
        let layout = try NetworkLayout(self, prefix: Self.network)
        var warnings: [String] = []
        let known = prediction ?? writtenPrediction
        let assumed = try known ?? row.prediction
        if known == nil {
            warnings.append(
                "The file doesn't say what its network predicts; \(assumed.rawValue) is assumed, as is usual for "
                    + "its family (the option prediction overrules it).")
        }
        let network = ModelFiles.Part(
            config: try layout.configuration(row, assumed, path: path),
            weights: try checkpoint.renamed(layout.aliases))
        return ModelFiles(
            path: path, family: family, pipeline: try row.pipeline, network: network, texts: try texts(),
            autoencoder: try autoencoderPart(), scheduler: try scheduler(), prediction: assumed,
            zeroesEmptyPrompt: family == .stableDiffusionXL, warnings: warnings)
    }

    // MARK: - What the file says of itself

    /// What the network gives, by a tensor or the metadata; nil where neither says it.
    private var writtenPrediction: Prediction? {
        if names.contains("v_pred") { return .velocity }
        for key in ["modelspec.prediction_type", "prediction_type", "ss_prediction_type"] {
            switch checkpoint.metadata[key]?.lowercased() {
            case "epsilon", "eps": return .epsilon
            case "v", "v_prediction", "v-prediction", "velocity": return .velocity
            case "sample", "x0": return .sample
            default: continue
            }
        }
        if checkpoint.metadata["ss_v_parameterization"]?.lowercased() == "true" { return .velocity }
        // Every model of this kind that was published gives the noise.
        return distillation == nil ? nil : .epsilon
    }

    /// The kind of scheduler that a model distilled to few steps wants; nil for an ordinary one.
    private var distillation: String? {
        if names.contains(Self.network + "time_embed.cond_proj.weight") { return "lcm" }
        let texts = ["modelspec.title", "modelspec.architecture", "modelspec.description"]
            .compactMap { checkpoint.metadata[$0]?.lowercased() }
        return texts.contains { $0.contains("turbo") } ? "turbo" : nil
    }

    private func scheduler() throws -> ConfigFile {
        let scheduler = try row.scheduler(distillation ?? "usual")
        // A mark that trainers of models without signal at the end leave.
        guard names.contains("ztsnr") else { return scheduler }
        return scheduler.with([
            ("rescale_betas_zero_snr", .bool(true)), ("timestep_spacing", .string("trailing")),
        ])
    }

    // MARK: - Helpers of the parts

    /// The outermost dimension of a tensor.
    func rows(_ name: String) -> Int? { checkpoint.shape(of: name)?.first }

    /// How many numbered names there are: the first number of `0…` for which `name` gives no tensor.
    func count(_ name: (Int) -> String) -> Int {
        var count = 0
        while count < 4096, names.contains(name(count)) { count += 1 }
        return count
    }
}
