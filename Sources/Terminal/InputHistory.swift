import FoundationEssentials
import Glibc

/// The lines that were typed before, oldest first, at most `limit` of them.
public struct InputHistory: Sendable, Equatable {
    public static let limit = 1000
    /// Longer texts are not kept.
    static let entryLimit = 16 << 10

    public private(set) var entries: [String] = []

    public init(_ entries: [String] = []) {
        for entry in entries { add(entry) }
    }

    /// Keeps a line, unless it is blank, very long, or the newest one again.
    @discardableResult
    public mutating func add(_ entry: String) -> Bool {
        guard entry.contains(where: { !$0.isWhitespace }), entry.utf8.count <= Self.entryLimit,
            entry != entries.last
        else { return false }
        entries.append(entry)
        if entries.count > Self.limit { entries.removeFirst(entries.count - Self.limit) }
        return true
    }
}

/// The file that keeps typed lines from one session to the next; only its owner can read it.
///
/// One line a text, in which a backslash and a line feed are written `\\` and `\n`. Sessions that run at the same
/// time append; the file is cut to its limit when it is read. What cannot be read or written is left alone: a
/// chat does not fail over it.
public struct InputHistoryFile: Sendable {
    public let path: String
    /// What a longer file has before its last so many bytes is forgotten.
    static let byteLimit = 2 << 20

    public init(path: String) {
        self.path = path
    }

    public func load() -> InputHistory {
        guard let (bytes, isWhole) = FileBytes.readEnd(of: path, limit: Self.byteLimit) else {
            return InputHistory()
        }
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        if !isWhole, !lines.isEmpty { lines.removeFirst() }
        let history = InputHistory(lines.map { Self.unescape($0) })
        if !isWhole || lines.count > 2 * InputHistory.limit { rewrite(history) }
        return history
    }

    public func append(_ entry: String) {
        guard let descriptor = openFile(O_WRONLY | O_CREAT | O_APPEND, path) else { return }
        _ = FileBytes.write(Array((Self.escape(entry) + "\n").utf8), to: descriptor)
        close(descriptor)
    }

    private func rewrite(_ history: InputHistory) {
        let temporary = path + ".\(getpid())"
        guard let descriptor = openFile(O_WRONLY | O_CREAT | O_EXCL, temporary) else { return }
        let text = history.entries.map { Self.escape($0) + "\n" }.joined()
        let isWritten = FileBytes.write(Array(text.utf8), to: descriptor)
        close(descriptor)
        if !isWritten || rename(temporary, path) != 0 { unlink(temporary) }
    }

    private func openFile(_ flags: Int32, _ path: String) -> Int32? {
        FileBytes.makePrivateFolder(above: path)
        let descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return nil }
        fchmod(descriptor, 0o600)
        return descriptor
    }

    static func escape(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    static func unescape(_ line: some StringProtocol) -> String {
        var text = String.UnicodeScalarView()
        var isEscaped = false
        for scalar in line.unicodeScalars {
            if isEscaped {
                text.append(scalar == "n" ? "\n" : scalar)
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                text.append(scalar)
            }
        }
        return TextSanitizer.sanitize(String(text))
    }
}
