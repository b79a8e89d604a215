public import Tensors

/// A mixture of types that a model's weights are quantised to, by llama.cpp's names.
public enum QuantizationType: String, Sendable, CaseIterable {
    case q80 = "Q8_0"
    case q6K = "Q6_K"
    case q4KM = "Q4_K_M"
    case q40 = "Q4_0"

    /// The type of this name, in any case; nil for another.
    public init?(name: String) {
        guard let type = Self.allCases.first(where: { $0.rawValue.lowercased() == name.lowercased() }) else {
            return nil
        }
        self = type
    }

    /// What most of the weights become.
    public var mainType: ElementType {
        switch self {
        case .q80: .q80
        case .q6K: .q6K
        case .q4KM: .q4K
        case .q40: .q40
        }
    }

    /// llama.cpp's LLAMA_FTYPE, the value of `general.file_type`.
    var fileType: UInt32 {
        switch self {
        case .q40: 2
        case .q80: 7
        case .q4KM: 15
        case .q6K: 18
        }
    }
}
