import Glibc

/// When a file was last written, in seconds since 1970; `nil` where it cannot be looked at.
public func modificationTime(ofFileAt path: String) -> Int? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mtim.tv_sec : nil
}
