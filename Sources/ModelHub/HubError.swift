/// Why a model could not be had, each with a sentence that helps.
public enum HubError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The text names no model of a hub.
    case noReference(String)
    /// Neither this repository nor, without a token, whether there is one.
    case noRepository(String, hub: String, hasToken: Bool)
    case noRevision(String, repository: String)
    case noFile(String, repository: String, there: [String])
    /// The repository's owner lets in only those who agreed to something.
    case gated(String, hub: String, hasToken: Bool)
    /// The token is not one of the hub's.
    case badToken(hub: String)
    case refused(hub: String, status: Int, what: String)
    /// In seconds, where the hub said so.
    case tooManyRequests(hub: String, wait: Int?)
    case failing(hub: String, status: Int)
    case unreachable(hub: String, reason: String)
    case offline(String)
    /// The hub's answer is not what its API promises.
    case badAnswer(hub: String, what: String)
    /// What came was not the file: how many bytes, or which digest.
    case mismatch(file: String, what: String, expected: String, found: String)
    case noSpace(folder: String, needed: Int, available: Int)
    case nothingToUse(repository: String, why: String)
    /// There is something of that name, which was not pulled.
    case nameTaken(name: String, path: String)
    case busy(name: String)
    case badName(String)
    /// The daemon ends.
    case closing
    case system(path: String, reason: String)

    public var description: String {
        switch self {
        case .noReference(let text):
            "\"\(text.prefix(200))\" is no model of a hub; it must be owner/name, owner/name:Q4_K_M, "
                + "owner/name/file.gguf, or a name of the catalogue."
        case .noRepository(let name, let hub, let hasToken):
            hasToken
                ? "\(hub) has no repository \(name), or the token may not see it."
                : "\(hub) has no repository \(name), or it is private: then set HF_TOKEN."
        case .noRevision(let revision, let repository): "\(repository) has no revision \"\(revision)\"."
        case .noFile(let file, let repository, let there):
            "\(repository) has no \(file)." + (there.isEmpty ? "" : " It has: \(Self.list(there)).")
        case .gated(let name, let hub, let hasToken):
            hasToken
                ? "\(name) is only for those who agreed to its terms: do so at \(hub)/\(name) with the account of "
                    + "this token, then pull again."
                : "\(name) is only for those who agreed to its terms: do so at \(hub)/\(name), set HF_TOKEN to a "
                    + "token of that account, then pull again."
        case .badToken(let hub): "\(hub) does not know the token in HF_TOKEN; make a new one there."
        case .refused(let hub, let status, let what): "\(hub) refuses \(what) (status \(status))."
        case .tooManyRequests(let hub, let wait):
            "\(hub) has had too many requests"
                + (wait.map { "; pull again in \($0) seconds, it goes on from here." }
                    ?? "; pull again later, it goes on from here.")
        case .failing(let hub, let status):
            "\(hub) has trouble of its own (status \(status)); pull again later, it goes on from here."
        case .unreachable(let hub, let reason): "\(hub) cannot be reached: \(reason)."
        case .offline(let name): "\(name) is not here, and nothing is asked of the hub while offline."
        case .badAnswer(let hub, let what): "\(hub) answered something that is not its API: \(what)."
        case .mismatch(let file, let what, let expected, let found):
            "What came is not \(file): its \(what) must be \(expected) and is \(found); pull again."
        case .noSpace(let folder, let needed, let available):
            "The disk of \(folder) has too little room: \(Self.megabytes(needed)) are needed, "
                + "\(Self.megabytes(available)) are free."
        case .nothingToUse(let repository, let why): "\(repository) has nothing that can be used: \(why)."
        case .nameTaken(let name, let path):
            "There is another \"\(name)\" already, at \(path); remove it, or give this one another name."
        case .busy(let name): "Another pull is on its way to the name \"\(name)\"; wait for it or stop it."
        case .badName(let name):
            "\"\(name.prefix(80))\" is no name for a model; it may have no / and no dot in front."
        case .closing: "The daemon is shutting down; pull again, it goes on from here."
        case .system(let path, let reason): "\(path): \(reason)."
        }
    }

    private static func list(_ names: [String]) -> String {
        names.prefix(20).joined(separator: ", ") + (names.count > 20 ? " and \(names.count - 20) more" : "")
    }

    private static func megabytes(_ bytes: Int) -> String { "\((bytes + 999_999) / 1_000_000) MB" }
}
