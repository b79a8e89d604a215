import Glibc

/// A regular file mapped read-only for as long as this object lives.
///
/// Nothing guards against a file that is truncated while it is mapped: touching a page that is gone raises SIGBUS.
/// `hasChanged()` tells before it comes to that.
final class FileMapping: Sendable {
    /// The path as it was given.
    let path: String
    /// The whole file.
    nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
    private let descriptor: Int32
    private let modified: timespec

    /// Opens and maps the file at `path`, through symbolic links (a model store often consists of them).
    ///
    /// - Throws: `cannotOpen`, `notRegularFile`, or `truncated` for an empty file.
    init(_ path: String) throws(CheckpointError) {
        let (descriptor, status) = try Self.openRegularFile(path)
        guard status.st_size > 0 else {
            close(descriptor)
            throw .truncated(file: path, reading: "the header", expected: 8, found: 0)
        }
        let size = Int(status.st_size)
        guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            let code = errno
            close(descriptor)
            throw .cannotOpen(file: path, reason: Self.reason(code))
        }
        self.path = path
        self.descriptor = descriptor
        self.modified = status.st_mtim
        self.bytes = UnsafeRawBufferPointer(start: base, count: size)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
        close(descriptor)
    }

    /// Whether the file has another size or modification time than when it was opened.
    func hasChanged() -> Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return true }
        return status.st_size != off_t(bytes.count) || status.st_mtim.tv_sec != modified.tv_sec
            || status.st_mtim.tv_nsec != modified.tv_nsec
    }

    /// Asks the kernel to read the file ahead.
    func willNeed() {
        madvise(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, MADV_WILLNEED)
    }

    /// Gives back the pages that lie wholly inside `range`; they come back from the file when they are touched.
    func release(_ range: Range<Int>) {
        let page = sysconf(Int32(_SC_PAGESIZE))
        guard page > 0, let base = bytes.baseAddress, range.clamped(to: 0..<bytes.count) == range else {
            return
        }
        let start = (range.lowerBound + page - 1) / page * page
        let end = range.upperBound / page * page
        guard start < end else { return }
        madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, MADV_DONTNEED)
    }

    /// Opens without ever blocking on a pipe or following a link that appears between the look and the opening.
    private static func openRegularFile(_ path: String) throws(CheckpointError) -> (Int32, stat) {
        guard !path.utf8.contains(0), let resolved = realpath(path, nil) else {
            throw .cannotOpen(file: path, reason: reason(path.utf8.contains(0) ? EINVAL : errno))
        }
        defer { free(resolved) }
        let descriptor = open(resolved, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw .cannotOpen(file: path, reason: reason(errno)) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw .cannotOpen(file: path, reason: reason(code))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .notRegularFile(file: path, found: kind(of: status.st_mode))
        }
        return (descriptor, status)
    }

    private static func kind(of mode: mode_t) -> String {
        switch mode & S_IFMT {
        case S_IFDIR: "a directory"
        case S_IFIFO: "a pipe"
        case S_IFSOCK: "a socket"
        case S_IFCHR, S_IFBLK: "a device"
        default: "something else"
        }
    }

    private static func reason(_ code: Int32) -> String {
        String(cString: strerror(code))
    }
}

/// What lies at a path, for choosing how to read it.
enum PathKind {
    case directory, other, absent

    /// Follows symbolic links.
    init(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            self = .absent
            return
        }
        self = status.st_mode & S_IFMT == S_IFDIR ? .directory : .other
    }
}
