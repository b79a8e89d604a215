/// What can be wrong with a model that a file describes, or with what the model computes.
///
/// Damage of the file itself (headers, tensors, shapes) is a `CheckpointError`.
public enum LlamaError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file holds a network of another kind; `found` is the file's own name for it.
    case unsupportedArchitecture(file: String, found: String)
    /// The network is a Llama with a part that this engine doesn't have.
    case unsupportedFeature(file: String, feature: String)
    /// A setting of the model is missing, out of range, or contradicts another.
    case invalidConfiguration(file: String, key: String, expected: String, found: String)
    /// The file has a vocabulary but no weights: it can be used to tokenize, not to generate.
    case vocabularyOnly(file: String)
    /// No vocabulary was found; `expected` names the places that were looked at.
    case missingTokenizer(file: String, expected: String)
    /// A file of the tokenizer can't be read.
    case unreadableTokenizer(file: String, reason: String)
    /// The logits hold NaN or infinity: damaged weights, or arithmetic that overflowed.
    case invalidNumbers

    public var description: String {
        switch self {
        case .unsupportedArchitecture(let file, let found):
            "\(file): the model's architecture is “\(Self.shown(found))”; only Llama models can be run."
        case .unsupportedFeature(let file, let feature):
            "\(file): this Llama model uses \(Self.shown(feature)), which is not supported."
        case .invalidConfiguration(let file, let key, let expected, let found):
            "\(file): \(key): expected \(expected), found \(Self.shown(found))."
        case .vocabularyOnly(let file):
            "\(file) holds a vocabulary without weights; it can tokenize but not answer."
        case .missingTokenizer(let file, let expected):
            "\(file) has no tokenizer (\(expected))."
        case .unreadableTokenizer(let file, let reason):
            "\(file) can't be read: \(reason)."
        case .invalidNumbers:
            "The model produced invalid numbers; its file may be damaged."
        }
    }

    /// Text out of a file, without what could steer a terminal and at most 100 characters of it.
    private static func shown(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(100).filter { $0.properties.generalCategory != .control }))
    }
}
