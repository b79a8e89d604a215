import Checkpoints
import StrictJSON
import Tensors

/// A LoRA file matched to a model: which layers it adds to, and how much.
struct LoRAMerge: Sendable {
    /// The addition to each tensor, by diffusers' name.
    private let additions: [LoRAKey.Part: [String: LoRALayer]]
    private let weight: Float

    /// Matches `file` to the tensors of a model's parts.
    ///
    /// - Throws: `unsupportedModel` when nothing fits, `CheckpointError` for layers of another size.
    init(
        _ file: LoRAFile, network: ModelFiles.Part, texts: [ModelFiles.Text], warnings: inout [String]
    ) throws {
        guard file.weight.isFinite, file.weight.magnitude <= 1000 else {
            throw StableDiffusionError.invalidSetting(
                name: "the weight of a LoRA", expected: "a number from -1000 to 1000", found: "\(file.weight)"
            )
        }
        weight = Float(file.weight)
        let lora = try LoRAWeights(file.path)
        var strangers = lora.strangers
        var additions: [LoRAKey.Part: [String: LoRALayer]] = [:]
        for (part, layers) in lora.layers {
            let (tensors, weights) = try Self.tensors(part, network, texts)
            for (layer, addition) in layers {
                guard let name = tensors[layer], let shape = weights?.shape(of: name) else {
                    strangers.append(layer)
                    continue
                }
                guard addition.fits(shape) else {
                    throw CheckpointError.invalidTensor(
                        file: file.path, tensor: layer, expected: "an addition to \(name), \(shape)",
                        found: "\(addition.up.shape) times \(addition.down.shape)")
                }
                additions[part, default: [:]][name] = addition
            }
        }
        guard !additions.isEmpty else {
            throw StableDiffusionError.unsupportedModel(
                path: file.path, found: "a LoRA of another model: none of its layers is in this one")
        }
        if let first = strangers.min() {
            warnings.append(
                "\(quoted(file.path)): \(strangers.count) of its layers and tensors, such as \(quoted(first)), fit "
                    + "nothing in this model and are left out.")
        }
        self.additions = additions
    }

    /// The tensors of a part by the names that LoRA files have for their layers.
    private static func tensors(
        _ part: LoRAKey.Part, _ network: ModelFiles.Part, _ texts: [ModelFiles.Text]
    ) throws -> ([String: String], Checkpoint?) {
        var result: [String: String] = [:]
        let weights: Checkpoint
        switch part {
        case .network: weights = network.weights
        case .text(let index):
            guard texts.indices.contains(index) else { return ([:], nil) }
            weights = texts[index].encoder.weights
        }
        let older = part == .network ? try CompVisNames(UNetConfiguration(network.config)) : nil
        for name in weights.tensorNames where name.hasSuffix(".weight") {
            guard let shape = weights.shape(of: name), shape.count >= 2 else { continue }
            let layer = String(name.dropLast(".weight".count))
            result[underscored(layer)] = name
            if let other = older?.name(layer) { result[underscored(other)] = name }
            // Encoders saved lately have names without it.
            if part != .network, !layer.hasPrefix("text_model.") {
                result["text_model_" + underscored(layer)] = name
            }
        }
        return (result, weights)
    }

    private static func underscored(_ name: String) -> String {
        name.split(separator: ".", omittingEmptySubsequences: false).joined(separator: "_")
    }

    /// `checkpoint` with the additions to one part, each made when its tensor is asked for.
    ///
    /// W + weight · alpha / r · up · down, rounded to the type of W where the reference's `fuse_lora` rounds it: up and
    /// down, the addition, and the sum.
    func merged(_ checkpoint: Checkpoint, _ part: LoRAKey.Part, _ operations: Operations) -> Checkpoint {
        guard let additions = additions[part] else { return checkpoint }
        return checkpoint.edited(
            additions.mapValues { addition in
                let scale = addition.scale * weight
                return { tensor in
                    tensor.adding(
                        addition.product(in: tensor.type, operations), times: scale, operations.pool)
                }
            })
    }
}

extension WeightTensor {
    /// The sum of these weights and `scale` times `delta`, in their own type and memory of its own.
    fileprivate func adding(_ delta: Tensor, times scale: Float, _ pool: WorkerPool) -> WeightTensor {
        precondition(type.blockLength == 1, "weights in f32, f16 or bf16")
        let values = floats()
        precondition(values.count == delta.rows * delta.columns, "an addition of the weights' size")
        let memory = WeightMemory(byteCount: values.count * type.blockBytes)
        let partLength = 1 << 18
        delta.withUnsafeMutablePointer { delta in
            pool.run(parts: (values.count + partLength - 1) / partLength) { part in
                let range = part * partLength..<min((part + 1) * partLength, values.count)
                switch type {
                case .f16:
                    let target = memory.bytes.assumingMemoryBound(to: Float16.self)
                    for i in range {
                        target[i] = Float16(values[i] + Float(Float16(delta[i] * scale)))
                    }
                case .bf16:
                    let target = memory.bytes.assumingMemoryBound(to: UInt16.self)
                    for i in range {
                        let sum = type.rounded(values[i] + type.rounded(delta[i] * scale))
                        target[i] = UInt16(sum.bitPattern >> 16)
                    }
                default:
                    let target = memory.bytes.assumingMemoryBound(to: Float.self)
                    for i in range { target[i] = values[i] + delta[i] * scale }
                }
            }
        }
        return memory.tensor(type, shape: shape)
    }
}

extension ElementType {
    /// The nearest number of this type, ties to even; types other than the 16-bit ones leave it as it is.
    func rounded(_ value: Float) -> Float {
        switch self {
        case .f16: return Float(Float16(value))
        case .bf16:
            guard value.isFinite else { return value }
            let bits = value.bitPattern
            return Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000)
        default: return value
        }
    }
}
