import Glibc

/// A folder with a short path (a socket's path has 107 bytes at most), removed with what is in it.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/ink-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw Failed() }
        path = String(cString: made)
    }

    deinit {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != ".", name != "..", unlink(path + "/" + name) != 0 { rmdir(path + "/" + name) }
            }
            closedir(directory)
        }
        rmdir(path)
    }

    struct Failed: Error {}
}
