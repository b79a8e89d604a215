import Checkpoints
public import Tensors

extension DiffusionModel {
    /// What the files say of the model: only configurations and headers are read.
    ///
    /// - Throws: `CheckpointError`, `StableDiffusionError`; a missing part is named.
    public static func inspect(
        _ path: String, options: LoadOptions = LoadOptions()
    ) throws -> DiffusionModelInfo {
        let files = try ModelFiles.open(path, options: options)
        return DiffusionModelInfo(files, try ModelPlan(files))
    }

    /// Loads a diffusers directory or a single-file checkpoint.
    ///
    /// - Parameters:
    ///   - path: a directory with model_index.json, or a `.safetensors` file.
    ///   - options: what isn't in the files.
    ///   - operations: what prepares the weights.
    ///   - progress: told how much is done, from 0 to 1.
    ///   - checkpoint: called between the steps of loading.
    /// - Returns: the model, ready to render.
    /// - Throws: `CheckpointError`, `StableDiffusionError`; `Interrupted` when `checkpoint` does.
    public static func load(
        _ path: String, options: LoadOptions = LoadOptions(), operations: Operations,
        progress: (Double) -> Void = { _ in }, checkpoint: InterruptionCheck = {}
    ) throws -> DiffusionModel {
        let files = try ModelFiles.open(path, options: options)
        let info = DiffusionModelInfo(files, try ModelPlan(files))
        let parts = try ModelParts(
            files, operations: operations, progress: progress, checkpoint: checkpoint)
        return DiffusionModel(info: info, parts: parts)
    }
}

extension DiffusionModelInfo {
    /// What the opened files of a model say.
    init(_ files: ModelFiles, _ plan: ModelPlan) {
        let factor = plan.autoencoder.factor
        // The size that networks of the family were trained with, where a file doesn't say it.
        let usual = files.family == .stableDiffusionXL ? 128 : 64
        let size = plan.network.sampleSize ?? [usual, usual]
        let decoders: [DecoderKind] =
            switch plan.autoencoder {
            case .full: plan.tinyDecoder == nil ? [.full] : [.full, .tiny]
            case .tiny: [.tiny]
            }
        self.init(
            family: files.family,
            parameterCount: files.checkpoints.reduce(0) { $0 + $1.elementCount },
            byteCount: files.checkpoints.reduce(0) { $0 + $1.byteCount },
            defaultWidth: size[1] * factor, defaultHeight: size[0] * factor, factor: factor,
            decoders: decoders, scheduler: plan.scheduler.kind,
            prediction: files.prediction ?? plan.scheduler.prediction,
            warnings: files.warnings + (plan.scheduler.warning.map { [$0] } ?? []))
    }
}
