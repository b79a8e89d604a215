import AssistantAPI
import Digest

/// A file of a repository, as the hub lists it.
struct HubFile: Sendable, Equatable {
    /// In the repository.
    var path: String
    var bytes: Int
    var digest: FileDigest

    /// The last part of the path.
    var name: Substring { path.split(separator: "/").last ?? "" }
    /// The folders that it lies in; empty for none.
    var folder: Substring { path.lastIndex(of: "/").map { path[..<$0] } ?? "" }

    var planned: PullEvent.File { .init(path: path, bytes: bytes, digest: digest.description) }
}

/// By what the content of a file is recognised: large files of a hub by their SHA-256, small ones as git does.
enum FileDigest: Sendable, Hashable, CustomStringConvertible {
    /// Of the content, in hexadecimal digits of lower case.
    case sha256(String)
    /// The SHA-1 of git's blob.
    case git(String)

    var description: String {
        switch self {
        case .sha256(let digits): "sha256:" + digits
        case .git(let digits): "git:" + digits
        }
    }

    /// Reads what `description` wrote.
    init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "sha256": self.init(sha256: String(parts[1]))
        case "git": self.init(git: String(parts[1]))
        default: return nil
        }
    }

    init?(sha256 digits: String) {
        guard digits.utf8.count == 64, Self.isHexadecimal(digits) else { return nil }
        self = .sha256(digits)
    }

    init?(git digits: String) {
        guard digits.utf8.count == 40, Self.isHexadecimal(digits) else { return nil }
        self = .git(digits)
    }

    private static func isHexadecimal(_ text: String) -> Bool {
        text.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
        }
    }
}

/// A digest on its way.
enum RunningDigest: Sendable {
    case sha256(SHA256)
    case git(SHA1)

    /// The one that a file is compared by.
    init(of file: HubFile) {
        switch file.digest {
        case .sha256: self = .sha256(SHA256())
        case .git: self = .git(SHA1(gitBlobOfBytes: file.bytes))
        }
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        switch self {
        case .sha256(var hash):
            // Emptied meanwhile, so that the bytes in it are not copied.
            self = .sha256(SHA256())
            hash.update(bytes)
            self = .sha256(hash)
        case .git(var hash):
            self = .git(SHA1())
            hash.update(bytes)
            self = .git(hash)
        }
    }

    func finish() -> FileDigest {
        switch self {
        case .sha256(let hash): .sha256(SHA256.hexadecimal(hash.finish()))
        case .git(let hash): .git(SHA256.hexadecimal(hash.finish()))
        }
    }
}
