import Checkpoints
import Llama
import Tensors

/// A model as GGUF would have it: keys, and tensors by GGUF's names with rows in GGUF's order.
struct ModelSource {
    /// A tensor to be written.
    struct Part {
        var name: String
        /// The name in the checkpoint.
        var sourceName: String
        var tensor: WeightTensor
        /// The type that it would have unquantised.
        var plainType: ElementType
        /// Which row of the checkpoint's tensor is at a place; nil where the order is the same.
        var order: (@Sendable (Int) -> Int)?
    }

    let checkpoint: Checkpoint
    let configuration: LlamaConfiguration
    var contents: GGUFContents
    var parts: [Part]

    /// - Throws: `CheckpointError`, `LlamaError`, `TokenizerError`; `alreadyQuantized`.
    init(_ path: String) throws {
        let checkpoint = try Checkpoint.open(path)
        self.checkpoint = checkpoint
        configuration = try LlamaConfiguration(checkpoint)
        switch checkpoint.format {
        case .gguf(let metadata):
            contents = GGUFContents(copying: metadata)
            for key in ["split.no", "split.count", "split.tensors.count", "general.alignment"] {
                contents.remove(key)
            }
            parts = checkpoint.tensorNames.compactMap { name in
                checkpoint.tensor(name).map {
                    Part(name: name, sourceName: name, tensor: $0, plainType: $0.type)
                }
            }
        case .safetensors, .tensors:
            let conversion = try HuggingFaceConversion(checkpoint, configuration)
            (contents, parts) = (conversion.contents, conversion.parts)
        }
        // Layer by layer, by name, what belongs to none first: as llama.cpp orders its files.
        parts.sort { (Self.layer(of: $0.name), $0.name) < (Self.layer(of: $1.name), $1.name) }
        for part in parts where part.tensor.type.blockLength > 1 {
            throw QuantizationError.alreadyQuantized(
                file: path, tensor: part.name, type: part.tensor.type.rawValue.uppercased())
        }
    }

    private static func layer(of name: String) -> Int {
        guard name.hasPrefix("blk.") else { return -1 }
        return Int(name.dropFirst(4).prefix { $0 != "." }) ?? -1
    }
}
