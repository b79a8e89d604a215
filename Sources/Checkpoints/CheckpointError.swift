public import StrictJSON

/// Why a model's file was refused: each case names the file, what was expected and what was found.
///
/// Names that come out of a file are quoted with control characters escaped, so that a description can be shown
/// in a terminal.
public enum CheckpointError: Error, Equatable {
    /// The file cannot be opened or mapped.
    case cannotOpen(file: String, reason: String)
    /// The path leads to something that is no regular file (a device, a pipe, a socket).
    case notRegularFile(file: String, found: String)
    /// A file that another one needs isn't there.
    case missingFile(file: String, neededBy: String)
    /// The file changed after it was mapped.
    case changedOnDisk(file: String)
    /// Neither the name nor the first bytes are those of a format that can be read.
    case unknownFormat(file: String, found: String)
    /// A GGUF of another version or byte order.
    case unsupportedVersion(file: String, found: String)
    /// The file ends before what it announces.
    case truncated(file: String, reading: String, expected: UInt64, found: UInt64)
    /// A count or size above what is accepted.
    case exceedsLimit(file: String, what: String, limit: UInt64, found: UInt64)
    /// A name that is no valid UTF-8.
    case invalidText(file: String, what: String, offset: Int)
    /// The structure around keys and tensors is wrong.
    case invalidHeader(file: String, expected: String, found: String)
    /// The file's JSON is malformed.
    case invalidJSON(file: String, error: JSONError)
    /// A key has the wrong type or a value out of range.
    case invalidKey(file: String, key: String, expected: String, found: String)
    /// A required key is absent.
    case missingKey(file: String, key: String, expected: String)
    /// A key occurs twice.
    case duplicateKey(file: String, key: String)
    /// A tensor's type, shape or place is wrong.
    case invalidTensor(file: String, tensor: String, expected: String, found: String)
    /// A required tensor is absent.
    case missingTensor(file: String, tensor: String, expected: String)
    /// A tensor's name occurs twice.
    case duplicateTensor(file: String, tensor: String)
    /// Two tensors claim the same bytes.
    case overlappingTensors(file: String, tensor: String, other: String)
}

extension CheckpointError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .cannotOpen(let file, let reason):
            "\(quoted(file)) cannot be opened: \(reason)."
        case .notRegularFile(let file, let found):
            "\(quoted(file)) is no regular file but \(found)."
        case .missingFile(let file, let neededBy):
            "\(quoted(file)) is missing; \(quoted(neededBy)) needs it."
        case .changedOnDisk(let file):
            "\(quoted(file)) changed on disk after it was opened; load the model again."
        case .unknownFormat(let file, let found):
            "\(quoted(file)) is no model that can be read: expected a GGUF file, a .safetensors file or a Hugging "
                + "Face directory, found \(found)."
        case .unsupportedVersion(let file, let found):
            "\(quoted(file)) is a GGUF of \(found); versions 2 and 3, little endian, can be read."
        case .truncated(let file, let reading, let expected, let found):
            "\(quoted(file)) ends too early: \(reading) needs \(expected) bytes and \(found) are left. "
                + "Perhaps its download was cut off."
        case .exceedsLimit(let file, let what, let limit, let found):
            "\(quoted(file)): \(what) is \(found), and at most \(limit) is accepted."
        case .invalidText(let file, let what, let offset):
            "\(quoted(file)): \(what) at byte \(offset) is no valid UTF-8."
        case .invalidHeader(let file, let expected, let found):
            "\(quoted(file)) has a damaged header: expected \(expected), found \(found)."
        case .invalidJSON(let file, let error):
            "\(quoted(file)) holds malformed JSON: \(error)."
        case .invalidKey(let file, let key, let expected, let found):
            "\(quoted(file)): key \(quoted(key)): expected \(expected), found \(found)."
        case .missingKey(let file, let key, let expected):
            "\(quoted(file)) has no key \(quoted(key)) (\(expected))."
        case .duplicateKey(let file, let key):
            "\(quoted(file)): key \(quoted(key)) occurs twice."
        case .invalidTensor(let file, let tensor, let expected, let found):
            "\(quoted(file)): tensor \(quoted(tensor)): expected \(expected), found \(found)."
        case .missingTensor(let file, let tensor, let expected):
            "\(quoted(file)) has no tensor \(quoted(tensor)) (\(expected))."
        case .duplicateTensor(let file, let tensor):
            "\(quoted(file)): tensor \(quoted(tensor)) occurs twice."
        case .overlappingTensors(let file, let tensor, let other):
            "\(quoted(file)): tensors \(quoted(tensor)) and \(quoted(other)) overlap."
        }
    }
}

/// A text out of a file as error messages show it: in quotation marks, escaped and cut.
func quoted(_ text: String) -> String {
    StrictJSON.quoted(text)
}

/// A shape as error messages write it: `[128256, 2048]`.
func described(_ shape: [Int]) -> String {
    "[" + shape.map(String.init).joined(separator: ", ") + "]"
}
