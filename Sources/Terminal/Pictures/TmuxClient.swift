import Glibc

/// The terminal that tmux runs in, as tmux knows it.
struct TmuxClient: Sendable, Equatable {
    /// The terminal's name for itself, such as `xterm-kitty`.
    var term: String
    /// Whether tmux hands on sequences that are wrapped for the terminal.
    var allowsPassthrough: Bool

    /// What tmux is asked to print.
    static let format = "#{client_termname};#{allow-passthrough};#{version}"

    init(term: String, allowsPassthrough: Bool) {
        (self.term, self.allowsPassthrough) = (term, allowsPassthrough)
    }

    /// Reads what tmux printed for ``format``.
    init?(answer: String) {
        let parts = answer.split(separator: ";", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        term = String(parts[0])
        // Before version 3.3 there was no such option, and everything was handed on.
        let numbers = parts[2].split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        let isOld = numbers.count == 2 && (numbers[0], numbers[1]) < (3, 3)
        allowsPassthrough = ["on", "all"].contains(parts[1]) || parts[1].isEmpty && isOld
    }

    /// Asks the tmux that this process runs in.
    static func ask() -> TmuxClient? {
        guard let output = popen("tmux display-message -p '\(format)' 2>/dev/null", "re") else { return nil }
        var line = [CChar](repeating: 0, count: 512)
        let isRead = fgets(&line, Int32(line.count), output) != nil
        guard pclose(output) == 0, isRead else { return nil }
        let bytes = line.prefix { $0 != 0 && $0 != 0x0A }.map { UInt8(bitPattern: $0) }
        return TmuxClient(answer: String(decoding: bytes, as: UTF8.self))
    }
}
