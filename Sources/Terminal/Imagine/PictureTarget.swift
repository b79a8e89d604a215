public import AssistantAPI
import Glibc

/// Where finished pictures go.
public enum PictureTarget: Sendable, Equatable {
    /// Into a folder, named after the prompt and the seed.
    case folder(String)
    /// To this path, numbered where there are several; a file of that name is replaced.
    case file(String)
    case standardOutput

    /// What `-o` says: a file, a folder, `-` for standard output, or nothing for the current folder.
    public init(_ argument: String?) {
        switch argument {
        case nil: self = .folder(".")
        // The device by its name would get the names that are printed, too.
        case "-", "/dev/stdout": self = .standardOutput
        case let path?:
            var status = stat()
            let isFolder = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
            self = isFolder || path.hasSuffix("/") ? .folder(path) : .file(path)
        }
    }

    /// The format that the target's name asks for; `nil` where it leaves that open.
    public func format() throws(ClientError) -> PictureFormat? {
        if case .file(let path) = self { return try PictureName.format(of: path) }
        return nil
    }

    /// Looks, before anything is painted, whether a picture can be put there at all.
    ///
    /// - Throws: `ClientError.failed` with the folder that is missing or closed.
    public func check() throws(ClientError) {
        let folder: String
        switch self {
        case .standardOutput: return
        case .folder(let path): folder = path
        case .file(let path):
            if access(path, F_OK) == 0, !Self.isRegularFile(path) {
                guard access(path, W_OK) == 0 else { throw Self.unwritable(path, errno) }
                return
            }
            folder = PictureFile.folder(of: path)
        }
        var status = stat()
        guard stat(folder, &status) == 0 else {
            if errno == ENOENT {
                let shown = TextSanitizer.line(folder)
                throw .failed("there is no folder \(shown); make it first: mkdir -p \(shown)")
            }
            throw Self.unwritable(folder, errno)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw .failed("\(TextSanitizer.line(folder)) is no folder")
        }
        guard access(folder, W_OK | X_OK) == 0 else { throw Self.unwritable(folder, errno) }
    }

    private static func isRegularFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    static func unwritable(_ path: String, _ code: Int32) -> ClientError {
        let shown = path == "." ? "the current folder" : TextSanitizer.line(path)
        return .failed("\(shown) cannot be written to: \(ClientError.system(code))")
    }
}
