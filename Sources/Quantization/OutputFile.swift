import Glibc

/// A file that appears under its name whole and synced, or not at all.
///
/// Where the file system has them, it is a file without a name until then, so that not even a killed process leaves
/// anything behind; elsewhere it has a name that begins with a dot.
final class OutputFile {
    private let path: String
    private let folder: String
    private let descriptor: Int32
    /// The name until the end, where the file needs one.
    private var temporary: String?
    private var unsynced = 0

    /// After so many bytes the disk has to have them, so that the end doesn't take long.
    private static let syncInterval = 16 << 20
    /// `O_TMPFILE`, which is a macro that Swift doesn't see.
    private static let unnamed: Int32 = 0o20_000_000 | O_DIRECTORY

    /// Begins a file of `byteCount` bytes that will be `path`.
    ///
    /// - Throws: `exists`, `notEnoughSpace`, `cannotWrite`.
    init(_ path: String, byteCount: Int) throws(QuantizationError) {
        self.path = path
        let slash = path.lastIndex(of: "/")
        folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        var status = stat()
        guard lstat(path, &status) != 0 else { throw .exists(file: path) }
        try Self.checkSpace(folder, byteCount)
        let unnamed = open(folder, O_WRONLY | O_CLOEXEC | Self.unnamed, 0o644)
        if unnamed >= 0 {
            descriptor = unnamed
            return
        }
        let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
        let temporary = "\(folder)/.\(name).\(UInt64.random(in: 0 ... .max)).partial"
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .cannotWrite(file: path, reason: Self.reason()) }
        self.temporary = temporary
    }

    deinit {
        close(descriptor)
        if let temporary { unlink(temporary) }
    }

    /// Appends bytes.
    func write(_ bytes: [UInt8]) throws(QuantizationError) {
        let written = bytes.withUnsafeBytes { bytes in
            Result { () throws(QuantizationError) in try write(bytes) }
        }
        try written.get()
    }

    /// Appends bytes.
    func write(_ bytes: UnsafeRawBufferPointer) throws(QuantizationError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Glibc.write(
                descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure() }
            rest = rest.dropFirst(count)
        }
        unsynced += bytes.count
        if unsynced >= Self.syncInterval {
            guard fdatasync(descriptor) == 0 else { throw failure() }
            unsynced = 0
        }
    }

    /// Syncs the file and gives it its name.
    func finish() throws(QuantizationError) {
        guard fsync(descriptor) == 0 else { throw failure() }
        let source = temporary ?? "/proc/self/fd/\(descriptor)"
        // A link, unlike a new name, never takes the place of a file that has come meanwhile.
        guard linkat(AT_FDCWD, source, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 else {
            if errno == EEXIST { throw .exists(file: path) }
            throw failure()
        }
        let opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else { return }
        fsync(opened)
        close(opened)
    }

    private static func checkSpace(_ folder: String, _ needed: Int) throws(QuantizationError) {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { throw .cannotWrite(file: folder, reason: reason()) }
        let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(
            by: UInt64(status.f_frsize))
        let available = overflow ? Int.max : Int(clamping: bytes)
        guard needed <= available else {
            throw .notEnoughSpace(folder: folder, needed: needed, available: available)
        }
    }

    private func failure() -> QuantizationError { .cannotWrite(file: path, reason: Self.reason()) }

    private static func reason() -> String { String(cString: strerror(errno)) }
}
