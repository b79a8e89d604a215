/// Why a vocabulary was refused; every case carries what was found.
public enum TokenizerError: Error, Equatable, CustomStringConvertible {
    /// A kind of tokenizer, or a setting of one, that this code does not implement.
    case unsupported(what: String, found: String)
    /// Bytes that are no valid file of their format.
    case malformed(format: String, offset: Int, reason: String)
    /// A required key or token is absent.
    case missing(String)
    /// A size beyond its limit.
    case tooLarge(what: String, limit: Int, found: Int)
    /// Two lists that describe the same tokens differ in length.
    case countMismatch(what: String, expected: Int, found: Int)
    /// A token id that the vocabulary does not have.
    case idOutOfRange(what: String, id: Int, vocabularySize: Int)
    /// Two ids for one text, or two texts for one id.
    case duplicateToken(text: String, first: Int, second: Int)
    /// One token that cannot be used.
    case invalidToken(id: Int, reason: String)
    /// A merge whose parts or result are no tokens.
    case invalidMerge(index: Int, text: String)

    public var description: String {
        switch self {
        case .unsupported(let what, let found):
            "unsupported \(what): found \(found)"
        case .malformed(let format, let offset, let reason):
            "malformed \(format) at byte \(offset): \(reason)"
        case .missing(let what):
            "the tokenizer has no \(what)"
        case .tooLarge(let what, let limit, let found):
            "\(what) is too large: at most \(limit) expected, found \(found)"
        case .countMismatch(let what, let expected, let found):
            "\(what): expected \(expected) entries, found \(found)"
        case .idOutOfRange(let what, let id, let size):
            "\(what) is \(id), outside the vocabulary of \(size) tokens"
        case .duplicateToken(let text, let first, let second):
            "token \"\(text.prefix(64))\" stands twice, as \(first) and as \(second)"
        case .invalidToken(let id, let reason):
            "token \(id) is invalid: \(reason)"
        case .invalidMerge(let index, let text):
            "merge \(index) (\"\(text.prefix(64))\") refers to no token of the vocabulary"
        }
    }
}
