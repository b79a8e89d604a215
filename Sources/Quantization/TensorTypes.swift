import Tensors

/// Which type each tensor of a Llama gets in a mixture: those that llama-quantize chooses without an importance matrix.
///
/// Source: llama.cpp's src/llama-quant.cpp.
struct TensorTypes {
    let mixture: QuantizationType
    let layerCount: Int
    /// Whether the embedding is the output's matrix too.
    let tiesEmbeddings: Bool
    /// Of Llama 2 and 3 with 70 billion parameters, eight heads share each matrix of values.
    let isSeventyBillion: Bool

    /// The type of a tensor with GGUF's name `name`; nil for one that stays as it is.
    func type(of name: String, shape: [Int]) -> ElementType? {
        guard shape.count > 1, name.hasSuffix("weight"), !name.hasSuffix("_norm.weight") else { return nil }
        return fallback(preferred(name, columns: shape.last ?? 1), columns: shape.last ?? 1)
    }

    private func preferred(_ name: String, columns: Int) -> ElementType {
        let main = mixture.mainType
        if name == "output.weight" || tiesEmbeddings && name == "token_embd.weight" {
            let isEven = columns.isMultiple(of: main.blockLength)
            return main == .q80 || !isEven ? .q80 : .q6K
        }
        guard mixture == .q4KM, let layer = Self.layer(of: name) else { return main }
        if name.hasSuffix(".attn_v.weight") {
            if getsMoreBits(layer) { return .q6K }
            return isSeventyBillion ? .q5K : main
        }
        return name.hasSuffix(".ffn_down.weight") && getsMoreBits(layer) ? .q6K : main
    }

    /// The first and the last eighth of the layers, and every third between.
    private func getsMoreBits(_ layer: Int) -> Bool {
        layer < layerCount / 8 || layer >= 7 * layerCount / 8 || (layer - layerCount / 8) % 3 == 2
    }

    /// A type whose blocks fit rows of `columns` numbers.
    private func fallback(_ type: ElementType, columns: Int) -> ElementType {
        guard !columns.isMultiple(of: type.blockLength) else { return type }
        let smaller: ElementType =
            switch type {
            case .q4K: .q50
            case .q6K, .q5K: .q80
            default: .f16
            }
        return columns.isMultiple(of: smaller.blockLength) ? smaller : .f16
    }

    private static func layer(of name: String) -> Int? {
        guard name.hasPrefix("blk.") else { return nil }
        return Int(name.dropFirst(4).prefix { $0 != "." })
    }
}
