/// A setting, or a path that follows from the settings, that cannot be used.
public enum ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Where a value was written.
    public enum Source: Sendable, Equatable, CustomStringConvertible {
        /// Line and column count from 1; 0 where the place is not known.
        case file(path: String, line: Int, column: Int)
        case variable(String)
        case flag(String)

        public var description: String {
            switch self {
            case .file(let path, 0, _): path
            case .file(let path, let line, let column): "\(path):\(line):\(column)"
            case .variable(let name): "variable \(name)"
            case .flag(let name): "flag \(name)"
            }
        }
    }

    /// The file is not there, is none, or is too large.
    case unreadableFile(path: String, finding: String)
    /// The file is not TOML.
    case syntax(Source, finding: String)
    case unknownKey(Source, key: String, suggestion: String?)
    case invalidValue(Source, key: String, expected: String, found: String)
    /// Neither `HOME` nor the user database names a home directory.
    case noHome
    /// A directory that must be this user's alone is not.
    case unsafeDirectory(path: String, finding: String)
    /// The kernel takes at most `limit` bytes for a socket's path.
    case socketPathTooLong(path: String, byteCount: Int, limit: Int)

    public var description: String {
        switch self {
        case .unreadableFile(let path, let finding):
            "cannot read the configuration file \(path): \(finding)"
        case .syntax(let source, let finding):
            "\(source): not valid TOML: \(finding)"
        case .unknownKey(let source, let key, let suggestion):
            "\(source): unknown key \(key)" + (suggestion.map { "; did you mean \($0)?" } ?? "")
        case .invalidValue(let source, let key, let expected, let found):
            "\(source): \(key): expected \(expected), found \(found)"
        case .noHome:
            "no home directory is known; set HOME"
        case .unsafeDirectory(let path, let finding):
            "the directory \(path) cannot be used: \(finding)"
        case .socketPathTooLong(let path, let byteCount, let limit):
            "the socket's path \(path) has \(byteCount) bytes and the system takes at most \(limit); "
                + "set server.socket to a shorter one"
        }
    }
}
