import Glibc

/// Writes a picture's file whole or not at all.
enum PictureFile {
    enum Failure: Error, Equatable {
        /// Something of that name is there already.
        case exists
        /// What the system said, in `errno`.
        case system(Int32)
    }

    /// Writes a file beside its target and moves it there when it is complete and on the disk.
    ///
    /// A link stays a link: the file that it names is replaced. A pipe or a device is written to.
    ///
    /// Only when replacing does a file of that name give way. `guarding` is told the unfinished file's path, to remove
    /// it should the process end, and `nil` afterwards.
    ///
    /// - Throws: `Failure`; then no file was written or changed.
    static func write(
        _ bytes: [UInt8], to path: String, replacing isReplacing: Bool,
        guarding: (String?) -> Void = { _ in }
    ) throws(Failure) {
        var status = stat()
        let isThere = stat(path, &status) == 0
        if isThere, !isReplacing { throw .exists }
        if isThere, status.st_mode & S_IFMT != S_IFREG {
            try writeThrough(bytes, path)
            return
        }
        let target = isThere ? try realPath(path) : path
        let unfinished = folder(of: target) + "/.inkling-\(UInt64.random(in: 0...UInt64.max)).part"
        guarding(unfinished)
        defer { guarding(nil) }
        do {
            try create(bytes, unfinished, mode: isThere ? status.st_mode & 0o777 : nil)
            try move(unfinished, to: target, replacing: isReplacing)
        } catch {
            unlink(unfinished)
            throw error
        }
    }

    /// The folder that a path's last component lies in.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func create(_ bytes: [UInt8], _ path: String, mode: mode_t?) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .system(errno) }
        if let mode { fchmod(descriptor, mode) }
        var code: Int32 = 0
        if !FileBytes.write(bytes, to: descriptor) { code = errno }
        // Some file systems cannot, which is no reason to lose a picture.
        if code == 0, fsync(descriptor) != 0, errno != EINVAL, errno != ENOSYS { code = errno }
        if close(descriptor) != 0, code == 0 { code = errno }
        if code != 0 { throw .system(code) }
    }

    private static func move(_ path: String, to target: String, replacing isReplacing: Bool) throws(Failure) {
        if isReplacing {
            guard rename(path, target) == 0 else { throw .system(errno) }
            return
        }
        // A second name for a file never takes the place of another file.
        if link(path, target) == 0 {
            unlink(path)
            return
        }
        if errno == EEXIST { throw .exists }
        // FAT, for one, has no second names; there the look and the renaming are two steps.
        guard access(target, F_OK) != 0 else { throw .exists }
        guard rename(path, target) == 0 else { throw .system(errno) }
    }

    private static func writeThrough(_ bytes: [UInt8], _ path: String) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(errno) }
        defer { close(descriptor) }
        guard FileBytes.write(bytes, to: descriptor) else { throw .system(errno) }
    }

    private static func realPath(_ path: String) throws(Failure) -> String {
        guard let real = realpath(path, nil) else { throw .system(errno) }
        defer { free(real) }
        return String(cString: real)
    }
}
