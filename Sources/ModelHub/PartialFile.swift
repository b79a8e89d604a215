import FoundationEssentials
import Glibc
import NIOPosix
import Synchronization

/// A file on its way, which goes on where it stopped: bytes in `<digest>.partial`, and beside it a journal of those
/// ranges that are safe on disk.
///
/// The journal is written after the bytes that it tells of, and never in place, so that it tells no lies whenever the
/// process or the machine stops. One process at a time has the file.
final class PartialFile: Sendable {
    let file: HubFile
    let path: String
    private let journalPath: String
    private let descriptor: Int32
    private let state: Mutex<State>
    /// Held by who writes the journal: several connections may find at once that it is due.
    private let journal = Mutex(())

    private struct State {
        var ledger: DownloadLedger
        /// Bytes that came since the journal was written.
        var unsafeBytes = 0
    }

    /// So many bytes may come twice after a crash.
    private static let journalInterval = 16 << 20

    /// Opens what is there of a file, or begins it.
    ///
    /// - Throws: `system`, `busy` when another process is at it.
    init(_ file: HubFile, in folder: String) throws(HubError) {
        self.file = file
        let name = file.digest.description.replacing(":", with: "-")
        path = "\(folder)/\(name).partial"
        journalPath = "\(folder)/\(name).journal"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .last(path) }
        // Whoever had the lock until now may have moved the file to its place.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, Self.isSame(descriptor, path) else {
            close(descriptor)
            throw .busy(name: file.path)
        }
        let finished = Self.readJournal(journalPath, of: file)
        state = Mutex(State(ledger: DownloadLedger(size: file.bytes, finished: finished ?? RangeSet())))
    }

    deinit { close(descriptor) }

    var finishedBytes: Int { state.withLock { $0.ledger.finishedBytes } }
    var isWhole: Bool { state.withLock { $0.ledger.isWhole } }
    var isSequential: Bool { state.withLock { $0.ledger.isSequential } }

    /// What the file takes of the disk already.
    var allocatedBytes: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? min(file.bytes, Int(status.st_blocks) * 512) : 0
    }

    private static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
        var (opened, named) = (stat(), stat())
        return fstat(descriptor, &opened) == 0 && lstat(path, &named) == 0
            && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
    }

    // MARK: - Ranges

    func claim(atMost piece: Int) -> Range<Int>? { state.withLock { $0.ledger.claim(atMost: piece) } }
    func release(_ range: Range<Int>) { state.withLock { $0.ledger.release(range) } }
    func readFromBeginning(instead range: Range<Int>) -> Bool {
        state.withLock { $0.ledger.readFromBeginning(instead: range) }
    }

    // MARK: - Bytes

    /// Writes bytes to their place.
    ///
    /// - Returns: How many of them are new.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(HubError) -> Int {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .last(path) }
            done += count
        }
        return state.withLock { state in
            state.unsafeBytes += bytes.count
            return state.ledger.finish(offset..<offset + bytes.count)
        }
    }

    /// Writes the journal when enough came since it was written.
    func keepIfDue() async throws {
        if state.withLock({ $0.unsafeBytes >= Self.journalInterval }) { try await keep() }
    }

    /// Writes the journal: what came so far is there after a crash.
    func keep() async throws {
        // A task of its own: who is cancelled keeps what came, too.
        try await Task { try await NIOThreadPool.singleton.runIfActive { try self.writeJournal() } }.value
    }

    /// The same on this thread.
    private func writeJournal() throws(HubError) {
        try journal.withLock { _ throws(HubError) in try writeJournalAlone() }
    }

    private func writeJournalAlone() throws(HubError) {
        let (finished, count) = state.withLock { ($0.ledger.finished, $0.unsafeBytes) }
        guard fdatasync(descriptor) == 0 else { throw .last(path) }
        var text = Self.header(of: file)
        for range in finished.ranges { text += "\(range.lowerBound) \(range.upperBound)\n" }
        try WholeFile.write(Array(text.utf8), to: journalPath)
        state.withLock { $0.unsafeBytes -= min($0.unsafeBytes, count) }
    }

    /// Compares the content with the digest.
    ///
    /// - Parameter progress: Is told how many bytes were looked at, now and then.
    /// - Throws: `mismatch`, after which nothing of the file is there.
    func verify(progress: @Sendable (Int) -> Void) async throws {
        var digest = RunningDigest(of: file)
        var offset = 0
        while offset < file.bytes {
            try Task.checkCancellation()
            let range = offset..<min(file.bytes, offset + (8 << 20))
            let before = digest
            digest = try await NIOThreadPool.singleton.runIfActive { try self.hash(range, into: before) }
            offset = range.upperBound
            progress(offset)
        }
        let found = digest.finish()
        guard found == file.digest else {
            discard()
            throw HubError.mismatch(
                file: file.path, what: "digest", expected: file.digest.description,
                found: found.description)
        }
    }

    private func hash(_ range: Range<Int>, into digest: RunningDigest) throws(HubError) -> RunningDigest {
        var digest = digest
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = buffer.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress, min($0.count, range.upperBound - offset), off_t(offset))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw count < 0 ? .last(path) : .system(path: path, reason: "it became shorter meanwhile")
            }
            buffer.withUnsafeBytes { digest.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            offset += count
        }
        return digest
    }

    // MARK: - The end

    /// Moves the file to its place, safe on disk.
    func move(to target: String) throws(HubError) {
        guard ftruncate(descriptor, off_t(file.bytes)) == 0, fsync(descriptor) == 0 else { throw .last(path) }
        if rename(path, target) != 0 {
            guard errno == EXDEV else { throw .last(target) }
            try WholeFile.copy(descriptor, to: target)
            unlink(path)
        }
        unlink(journalPath)
    }

    /// Throws away all that came.
    func discard() {
        unlink(journalPath)
        unlink(path)
    }

    // MARK: - Journal

    private static func header(of file: HubFile) -> String {
        "inkling download 1 \(file.bytes) \(file.digest)\n"
    }

    /// The ranges that a journal tells of; `nil` for one that is missing, damaged, or of another file.
    private static func readJournal(_ path: String, of file: HubFile) -> RangeSet<Int>? {
        guard let data = FileManager.default.contents(atPath: path),
            let text = String(data: data, encoding: .utf8), text.hasPrefix(header(of: file))
        else { return nil }
        var finished = RangeSet<Int>()
        for line in text.split(separator: "\n").dropFirst() {
            let numbers = line.split(separator: " ").map { Int($0) }
            guard numbers.count == 2, let start = numbers[0], let end = numbers[1], 0 <= start, start < end,
                end <= file.bytes
            else { return nil }
            finished.insert(contentsOf: start..<end)
        }
        return finished
    }
}
