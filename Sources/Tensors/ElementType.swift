/// How the elements of a weight tensor are stored; the raw value is the type's name in ggml.
///
/// A quantised type stores its elements in blocks of 32 or 256, each with its own scale.
public enum ElementType: String, Sendable, CaseIterable {
    case f32
    case f16
    case bf16
    case q40 = "q4_0"
    case q41 = "q4_1"
    case q50 = "q5_0"
    case q51 = "q5_1"
    case q80 = "q8_0"
    case q2K = "q2_K"
    case q3K = "q3_K"
    case q4K = "q4_K"
    case q5K = "q5_K"
    case q6K = "q6_K"
    case iq4NL = "iq4_nl"
    case iq4XS = "iq4_xs"

    /// Elements in a block: 1, 32 or 256.
    public var blockLength: Int {
        switch self {
        case .f32, .f16, .bf16: 1
        case .q40, .q41, .q50, .q51, .q80, .iq4NL: 32
        case .q2K, .q3K, .q4K, .q5K, .q6K, .iq4XS: 256
        }
    }

    /// Bytes in a block.
    public var blockBytes: Int {
        switch self {
        case .f32: 4
        case .f16, .bf16: 2
        case .q40, .iq4NL: 18
        case .q41: 20
        case .q50: 22
        case .q51: 24
        case .q80: 34
        case .q2K: 84
        case .q3K: 110
        case .q4K: 144
        case .q5K: 176
        case .q6K: 210
        case .iq4XS: 136
        }
    }

    /// Bytes that `elements` elements take; nil when they are no whole number of blocks or the product overflows.
    public func byteCount(of elements: Int) -> Int? {
        guard elements >= 0, elements % blockLength == 0 else { return nil }
        let (bytes, overflow) = (elements / blockLength).multipliedReportingOverflow(by: blockBytes)
        return overflow ? nil : bytes
    }
}
