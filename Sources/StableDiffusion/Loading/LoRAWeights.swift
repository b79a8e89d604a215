import Checkpoints
import StrictJSON
import Tensors

/// A low-rank addition to the weights of one layer: scale · up · down, or scale · up · middle · down.
///
/// Hu et al. 2021; the middle is LyCORIS's, for convolutions.
struct LoRALayer: Sendable {
    let down: WeightTensor  // [r, in] or [r, in, k, k]
    let up: WeightTensor  // [out, r] or [out, r, 1, 1]
    let middle: WeightTensor?  // [r, r, k, k], with down [r, in, 1, 1]
    /// alpha / r.
    let scale: Float

    /// Whether the addition has the size of a weight of this shape.
    func fits(_ shape: [Int]) -> Bool {
        guard shape.count >= 2, let rank = down.shape.first, down.shape.count >= 2, up.shape.count >= 2,
            rank > 0, up.shape[0] == shape[0], up.shape[1...].reduce(1, *) == up.shape[1]
        else { return false }
        guard let middle else {
            return up.shape[1] == rank && down.shape[1...].reduce(1, *) == shape[1...].reduce(1, *)
        }
        return middle.shape.count == shape.count && middle.shape[0] == up.shape[1]
            && middle.shape[1] == rank && Array(middle.shape[2...]) == Array(shape[2...])
            && down.shape[1...].reduce(1, *) == shape[1]
    }

    /// The addition, a row for each output, without the scale: of factors in the type of the weights, as the reference
    /// has them when it multiplies.
    func product(in type: ElementType, _ operations: Operations) -> Tensor {
        let rank = up.shape[1]
        var inner = down.floats()  // [r, in * k * k]
        if let middle { inner = Self.folded(middle, down) }
        inner = inner.map(type.rounded)
        let columns = inner.count / rank
        // What is multiplied by is read row by row, so the inner side is turned.
        let turned = WeightMemory(byteCount: inner.count * 4)
        let target = turned.bytes.bindMemory(to: Float.self)
        for r in 0..<rank {
            for column in 0..<columns { target[column * rank + r] = inner[r * columns + column] }
        }
        let left = operations.makeTensor(rows: up.shape[0], columns: rank)
        left.withUnsafeMutablePointer {
            $0.update(from: up.floats().map(type.rounded), count: up.shape[0] * rank)
        }
        do {
            return try operations.linear(
                left, by: turned.tensor(.f32, shape: [columns, rank]), checkpoint: {})
        } catch {
            preconditionFailure("a checkpoint that never throws")
        }
    }

    /// middle · down for each place of the kernel, `[r, in * k * k]`.
    private static func folded(_ middle: WeightTensor, _ down: WeightTensor) -> [Float] {
        let (outer, inner) = (middle.shape[0], middle.shape[1])
        let places = middle.shape[2...].reduce(1, *)
        let inputs = down.shape[1]
        let (m, d) = (middle.floats(), down.floats())
        var result = [Float](repeating: 0, count: outer * inputs * places)
        for a in 0..<outer {
            for b in 0..<inner {
                for i in 0..<inputs {
                    for place in 0..<places {
                        result[(a * inputs + i) * places + place] +=
                            m[(a * inner + b) * places + place] * d[b * inputs + i]
                    }
                }
            }
        }
        return result
    }
}

/// The layers of a LoRA file, found by their names.
struct LoRAWeights: Sendable {
    let path: String
    /// What belongs to each layer of each part, by the layer's name with underscores.
    private(set) var layers: [LoRAKey.Part: [String: LoRALayer]] = [:]
    /// Tensors that are none of a LoRA's, or whose counterpart is missing.
    private(set) var strangers: [String] = []

    init(_ path: String) throws(CheckpointError) {
        self.path = path
        let checkpoint = try Checkpoint.openTensors(path)
        var found: [LoRAKey.Part: [String: [LoRAKey.Role: String]]] = [:]
        for name in checkpoint.tensorNames {
            guard let key = LoRAKey(name) else {
                strangers.append(name)
                continue
            }
            found[key.part, default: [:]][key.layer, default: [:]][key.role] = name
        }
        let alphas = AdapterAlphas(checkpoint.metadata)
        for (part, names) in found {
            for (layer, roles) in names {
                guard let down = roles[.down].flatMap(checkpoint.tensor),
                    let up = roles[.up].flatMap(checkpoint.tensor), let rank = down.shape.first, rank > 0
                else {
                    strangers += roles.values
                    continue
                }
                let written = roles[.alpha].flatMap(checkpoint.tensor)?.floats().first
                let alpha = written ?? alphas.alpha(part, layer) ?? Float(rank)
                guard alpha.isFinite else {
                    throw .invalidTensor(
                        file: path, tensor: roles[.alpha] ?? layer, expected: "a finite number",
                        found: "\(alpha)")
                }
                layers[part, default: [:]][layer] = LoRALayer(
                    down: down, up: up, middle: roles[.middle].flatMap(checkpoint.tensor),
                    scale: alpha / Float(rank))
            }
        }
    }
}

/// The alphas that newer files of diffusers' keep in their metadata, as peft's configuration.
private struct AdapterAlphas {
    private let json: JSONValue

    init(_ metadata: [String: String]) {
        let text = metadata["lora_adapter_metadata"] ?? "{}"
        let limits = JSONLimits(byteCount: 1 << 20)
        json = (try? JSONValue(parsing: Array(text.utf8), limits: limits)) ?? .null
    }

    /// What the metadata says of a layer; nil where it says nothing.
    func alpha(_ part: LoRAKey.Part, _ layer: String) -> Float? {
        let name =
            switch part {
            case .network: "unet"
            case .text(0): "text_encoder"
            case .text: "text_encoder_2"
            }
        let patterns = json["\(name).alpha_pattern"]?.object?.members ?? []
        for pattern in patterns {
            let suffix = pattern.name.split(separator: ".").joined(separator: "_")
            if layer == suffix || layer.hasSuffix("_" + suffix) {
                return pattern.value.double.map { Float($0) }
            }
        }
        return json["\(name).lora_alpha"]?.double.map { Float($0) }
    }
}
