/// Why a grammar or a JSON schema cannot be used; a sentence that says where and what was expected.
public enum GrammarError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A text is no GBNF.
    case syntax(line: Int, column: Int, problem: String)
    /// A rule is used but never defined.
    case undefinedRule(String)
    /// A rule begins with itself, so that nothing decides how often.
    case leftRecursion(String)
    /// No text of finite length is allowed.
    case empty
    /// It takes more than is spent on a grammar.
    case tooLarge(what: String, limit: Int)
    /// It has too many readings of one text to be followed.
    case tooAmbiguous
    /// The model has no token for what must come next.
    case noToken
    /// A part of a JSON schema that cannot be enforced; `path` is a JSON pointer to it.
    case unsupportedSchema(path: String, problem: String)
    /// A part of a JSON schema that is none.
    case invalidSchema(path: String, problem: String)

    public var description: String {
        switch self {
        case .syntax(let line, let column, let problem):
            "line \(line), column \(column): \(problem)"
        case .undefinedRule(let name): "the rule '\(name)' is used but not defined"
        case .leftRecursion(let name):
            "the rule '\(name)' begins with itself (left recursion); write it with repetition or put what repeats last"
        case .empty: "it allows no text at all"
        case .tooLarge(let what, let limit): "\(what) is too large; the limit is \(limit)"
        case .tooAmbiguous: "it is too ambiguous to be followed: a text has too many readings"
        case .noToken: "the model's vocabulary has no token for what it allows next"
        case .unsupportedSchema(let path, let problem), .invalidSchema(let path, let problem):
            "at \(path.isEmpty ? "the top" : path): \(problem)"
        }
    }
}
