import StrictJSON

// Parts of a picture model: diffusers keeps each in a directory of its own.

extension Checkpoint {
    /// What diffusers and transformers call the weights of a part.
    private static let componentNames = ["diffusion_pytorch_model", "model"]
    /// Variants that are taken when there are no weights without one and none is asked for.
    private static let usualVariants = ["fp16", "bf16", "fp32"]

    /// Opens one part of a model: config.json and `diffusion_pytorch_model.safetensors` (or, from transformers,
    /// `model.safetensors`), whole or in shards.
    ///
    /// - Parameters:
    ///   - directory: the part's own, for example `…/unet`.
    ///   - variant: which weights to take where there are several, for example `fp16` for
    ///     `diffusion_pytorch_model.fp16.safetensors`; without such weights, or nil, those without a variant, and
    ///     where there are none, those of a usual variant.
    /// - Returns: the checkpoint, with config.json in its format.
    /// - Throws: `CheckpointError`; `unknownFormat` when there are no weights that can be read.
    public static func openComponent(
        _ directory: String, variant: String? = nil
    ) throws(CheckpointError) -> Checkpoint {
        let variants = [variant, nil] + usualVariants.filter { $0 != variant }
        for name in componentNames {
            for variant in variants where variant.map(isPlainName) ?? true {
                let suffix = variant.map { "." + $0 } ?? ""
                let index = join(directory, "\(name).safetensors.index\(suffix).json")
                if case .other = PathKind(index) { return try openSharded(directory, index) }
                let path = join(directory, "\(name)\(suffix).safetensors")
                if case .other = PathKind(path) {
                    return try openSingle(path, try FileMapping(path), directory)
                }
            }
        }
        throw .unknownFormat(
            file: directory,
            found:
                "a directory without \(componentNames.map { $0 + ".safetensors" }.joined(separator: " or "))")
    }

    /// Opens a `.safetensors` file on its own: nothing beside it is looked at.
    ///
    /// - Throws: `CheckpointError`.
    public static func openTensors(_ path: String) throws(CheckpointError) -> Checkpoint {
        let file = try FileMapping(path)
        let header = try SafetensorsHeader(file.bytes, file: path)
        var collector = TensorCollector()
        try collector.add(header.records, of: file)
        return collector.checkpoint(path, .tensors, metadata: header.metadata)
    }

    /// Whether a variant's name leads nowhere else.
    private static func isPlainName(_ name: String) -> Bool {
        !name.isEmpty && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
    }
}
