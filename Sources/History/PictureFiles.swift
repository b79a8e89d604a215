import FoundationEssentials
import Glibc

/// The files of pictures beside a history, named by the SHA-256 of their content: `history.db-pictures/ab/cdef….png`.
///
/// A file is written under another name, synced, and moved to its place, so that it is there whole or not at all.
struct PictureFiles: Sendable {
    /// After the history's path, as SQLite's own `-wal`.
    static let suffix = "-pictures"

    let folder: String

    init(beside history: String) { folder = history + Self.suffix }

    /// Why the system refused something, in its words.
    struct Refusal: Error, CustomStringConvertible {
        let description: String

        init(_ description: String = HistoryFile.lastError()) { self.description = description }
    }

    /// A written file that has no name yet by which it would be found.
    struct Draft: Sendable {
        fileprivate let path: String
    }

    /// Names without a place among the pictures: files on their way to it.
    private static let draftPrefix = "new-"

    /// Where the file with a hash lies.
    func path(sha256: String, fileExtension: String) -> String {
        "\(folder)/\(sha256.prefix(2))/\(sha256.dropFirst(2)).\(fileExtension)"
    }

    // MARK: - Writing

    /// Writes bytes and returns once they are safe, as a draft.
    func write(_ bytes: Data) throws(Refusal) -> Draft {
        try makeFolder(folder)
        let path = "\(folder)/\(Self.draftPrefix)\(HistoryStore.makeID())"
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw Refusal() }
        defer { close(file) }
        do throws(Refusal) {
            try Self.write(bytes, to: file)
            guard fsync(file) == 0 else { throw Refusal() }
        } catch {
            unlink(path)
            throw error
        }
        return Draft(path: path)
    }

    /// Moves a draft to its place, over a file with the same content.
    func place(_ draft: Draft, sha256: String, fileExtension: String) throws(Refusal) {
        let target = path(sha256: sha256, fileExtension: fileExtension)
        let directory = "\(folder)/\(sha256.prefix(2))"
        try makeFolder(directory)
        guard rename(draft.path, target) == 0 else { throw Refusal() }
        try Self.sync(directory)
    }

    func discard(_ draft: Draft) { unlink(draft.path) }

    private static func write(_ bytes: Data, to file: Int32) throws(Refusal) {
        let result = bytes.withUnsafeBytes { buffer -> Result<Void, Refusal> in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Glibc.write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return .failure(Refusal()) }
                rest = rest.dropFirst(count)
            }
            return .success(())
        }
        try result.get()
    }

    /// Makes a folder for us alone, where it is missing; its name is safe when this returns.
    private func makeFolder(_ path: String) throws(Refusal) {
        guard mkdir(path, 0o700) == 0 else {
            guard errno == EEXIST else { throw Refusal() }
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid()
            else { throw Refusal("\(path) is not a folder of ours") }
            return
        }
        try Self.sync(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
    }

    private static func sync(_ directory: String) throws(Refusal) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Refusal() }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Refusal() }
    }

    // MARK: - Reading

    /// The content of a file of `count` bytes.
    func read(sha256: String, fileExtension: String, count: Int) throws(Refusal) -> Data {
        let path = path(sha256: sha256, fileExtension: fileExtension)
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { throw Refusal() }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size == count else {
            throw Refusal("it is not the file of \(count) bytes that was written")
        }
        var bytes = Data(count: count)
        let result = bytes.withUnsafeMutableBytes { buffer -> Result<Void, Refusal> in
            var done = 0
            while done < buffer.count {
                let part = Glibc.read(file, buffer.baseAddress.map { $0 + done }, buffer.count - done)
                if part < 0, errno == EINTR { continue }
                guard part > 0 else { return .failure(Refusal()) }
                done += part
            }
            return .success(())
        }
        try result.get()
        return bytes
    }

    // MARK: - Removing

    /// Removes a file for good, where it is there.
    func remove(sha256: String, fileExtension: String) {
        guard unlink(path(sha256: sha256, fileExtension: fileExtension)) == 0 else { return }
        try? Self.sync("\(folder)/\(sha256.prefix(2))")
    }

    /// Removes every file that no picture has, and every draft: what a killed daemon left.
    func sweep(keeping hashes: Set<String>) {
        for name in Self.names(in: folder) {
            if name.hasPrefix(Self.draftPrefix) {
                unlink("\(folder)/\(name)")
                continue
            }
            guard name.utf8.count == 2 else { continue }
            for file in Self.names(in: "\(folder)/\(name)") where file.utf8.count > 62 {
                if !hashes.contains(name + file.prefix(62)) { unlink("\(folder)/\(name)/\(file)") }
            }
        }
    }

    private static func names(in directory: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    }
}
