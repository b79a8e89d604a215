/// What a person asks a hub for: a repository, at a revision, and what of it.
///
/// For example: `hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M`, `stabilityai/sd-turbo`,
/// `owner/name@v1.0/folder/file.gguf`, or the address of any of these in a browser.
public struct HubReference: Sendable, Equatable, CustomStringConvertible {
    /// What of a repository is meant.
    public enum Choice: Sendable, Equatable {
        /// What its files suggest.
        case whole
        /// The GGUF file, or files, of a type such as `Q4_K_M`.
        case quantization(String)
        /// One file; of a split one all parts.
        case file(String)
    }

    /// As `owner/name`.
    public var repository: String
    /// A branch, a tag or a commit.
    public var revision = "main"
    public var choice = Choice.whole

    public init(repository: String, revision: String = "main", choice: Choice = .whole) {
        self.repository = repository
        self.revision = revision
        self.choice = choice
    }

    /// Reads a reference; `nil` for what is none.
    public init?(_ text: String) {
        var rest = text[...]
        for prefix in ["https://", "http://", "hf://"] where rest.lowercased().hasPrefix(prefix) {
            rest = rest.dropFirst(prefix.count)
        }
        for host in ["hf.co/", "huggingface.co/", "www.huggingface.co/"]
        where rest.lowercased().hasPrefix(host) {
            rest = rest.dropFirst(host.count)
        }
        rest = rest.prefix { $0 != "?" && $0 != "#" }
        var parts = rest.split(separator: "/", omittingEmptySubsequences: false)
        if parts.last?.isEmpty == true { parts.removeLast() }
        guard parts.count >= 2, parts[0] != "." && parts[0] != ".." else { return nil }
        // A browser's address says what it shows before the revision.
        if parts.count >= 4, ["resolve", "blob", "tree"].contains(parts[2]) {
            revision = String(parts[3])
            parts.removeSubrange(2...3)
        }
        var name = parts[1]
        if parts.count == 2, let colon = name.lastIndex(of: ":") {
            let type = name[name.index(after: colon)...]
            guard Self.isWord(type) else { return nil }
            choice = type.lowercased() == "latest" ? .whole : .quantization(String(type))
            name = name[..<colon]
        }
        if let mark = name.firstIndex(of: "@") {
            revision = String(name[name.index(after: mark)...])
            name = name[..<mark]
        }
        guard Self.isWord(parts[0]), Self.isWord(name), Self.isWord(revision[...]) else { return nil }
        repository = "\(parts[0])/\(name)"
        if parts.count > 2 {
            let path = parts[2...].joined(separator: "/")
            guard Self.isSafe(path: path) else { return nil }
            choice = .file(path)
        }
    }

    /// The same reference, however it was written.
    public var description: String {
        let base = "hf.co/\(repository)" + (revision == "main" ? "" : "@\(revision)")
        return switch choice {
        case .whole: base
        case .quantization(let type): base + ":" + type.uppercased()
        case .file(let path): base + "/" + path
        }
    }

    /// Whether a text can be part of a repository's name, which then needs no escaping in an address.
    private static func isWord(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.count <= 96 && text != "." && text != ".."
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                    UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    /// Whether a path leads to a place below where it begins, and nowhere else.
    static func isSafe(path: String) -> Bool {
        !path.isEmpty && path.utf8.count <= 1024 && !path.utf8.contains { $0 < 0x20 || $0 == 0x7F }
            && !path.contains("\\")
            && path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
                !$0.isEmpty && $0 != "." && $0 != ".."
            }
    }
}
