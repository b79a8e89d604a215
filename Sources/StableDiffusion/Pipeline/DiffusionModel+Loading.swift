public import Tensors

extension DiffusionModel {
    /// What the files say of the model: only configurations and headers are read.
    ///
    /// - Throws: `CheckpointError`, `StableDiffusionError`; a missing part is named.
    public static func inspect(
        _ path: String, options: LoadOptions = LoadOptions()
    ) throws -> DiffusionModelInfo {
        throw StableDiffusionError.unsupportedFeature(path: path, feature: "a network that is being built")
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
        throw StableDiffusionError.unsupportedFeature(path: path, feature: "a network that is being built")
    }
}
