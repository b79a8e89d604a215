import Checkpoints

/// Why a model was not quantised; a file that cannot be read at all is a `CheckpointError` or a `LlamaError`.
public enum QuantizationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The weights have lost numbers already; to quantise them again would lose more for nothing.
    case alreadyQuantized(file: String, tensor: String, type: String)
    /// A weight is NaN or infinite, or too large for the type's scales.
    case invalidNumbers(file: String, tensor: String, row: Int, type: String)
    /// There is no room for the file.
    case notEnoughSpace(folder: String, needed: Int, available: Int)
    /// There is a file of this name already.
    case exists(file: String)
    /// The system refused to make or write the file.
    case cannotWrite(file: String, reason: String)

    public var description: String {
        switch self {
        case .alreadyQuantized(let file, let tensor, let type):
            "\(file) is quantised already (\(tensor) is \(type)); take the F32, F16 or BF16 model that it was made of."
        case .invalidNumbers(let file, let tensor, let row, let type):
            "\(file): \(tensor), row \(row), has numbers that \(type) cannot hold (infinite, or no numbers at all); "
                + "the file may be damaged."
        case .notEnoughSpace(let folder, let needed, let available):
            "The model will take \(needed >> 20) MiB, and \(folder) has \(available >> 20) MiB left."
        case .exists(let file): "\(file) is there already; remove it, or choose another name."
        case .cannotWrite(let file, let reason): "\(file) cannot be written: \(reason)."
        }
    }
}
