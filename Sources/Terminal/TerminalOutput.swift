import Glibc

/// Where the session writes, and what that place can do.
public struct TerminalOutput: Sendable {
    public struct Size: Sendable, Equatable {
        public var columns: Int
        public var rows: Int

        public init(columns: Int, rows: Int) {
            self.columns = columns
            self.rows = rows
        }
    }

    /// A person looks at it, and the cursor can be moved.
    public let isTerminal: Bool
    public let usesColor: Bool
    private let sink: @Sendable (String) -> Void
    private let measure: @Sendable () -> Size

    public init(
        isTerminal: Bool, usesColor: Bool, measure: @escaping @Sendable () -> Size,
        sink: @escaping @Sendable (String) -> Void
    ) {
        self.isTerminal = isTerminal
        self.usesColor = usesColor
        self.measure = measure
        self.sink = sink
    }

    /// Standard output.
    ///
    /// A reader that is gone ends the process quietly, as `SIGPIPE` would have.
    public static func standard(isPlain: Bool, environment: [String: String]) -> Self {
        let isTerminal = isatty(1) == 1 && environment["TERM"] != "dumb" && !isPlain
        let refusesColor = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return Self(
            isTerminal: isTerminal, usesColor: isTerminal && !refusesColor, measure: { terminalSize() },
            sink: { StandardStreams.write($0, to: 1) })
    }

    /// Standard error.
    static func standardError(isPlain: Bool, environment: [String: String]) -> Self {
        Self(
            isTerminal: isatty(2) == 1 && environment["TERM"] != "dumb" && !isPlain, usesColor: false,
            measure: { terminalSize(of: 2) }, sink: { StandardStreams.write($0, to: 2) })
    }

    public func write(_ text: String) { if !text.isEmpty { sink(text) } }

    public func size() -> Size { measure() }

    /// The text in a style, where colours are wanted.
    public func styled(_ text: String, _ style: Style) -> String {
        usesColor ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    public enum Style: Int, Sendable {
        case bold = 1
        case dim = 2
    }

    static func terminalSize(of descriptor: Int32 = 1) -> Size {
        var window = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else {
            return Size(columns: 80, rows: 24)
        }
        return Size(columns: Int(window.ws_col), rows: Int(window.ws_row))
    }
}

/// The process's own streams.
public enum StandardStreams {
    /// Writes to standard output (1) or standard error (2).
    public static func write(_ text: String, to descriptor: Int32) { write(Array(text.utf8), to: descriptor) }

    /// Writes to standard output (1) or standard error (2).
    static func write(_ bytes: [UInt8], to descriptor: Int32) {
        guard !FileBytes.write(bytes, to: descriptor) else { return }
        guard errno == EPIPE else { exit(descriptor == 2 ? 1 : failWriting()) }
        RawMode.leave()
        signal(SIGPIPE, SIG_DFL)
        raise(SIGPIPE)
    }

    /// A sentence about what went wrong, on standard error.
    public static func complain(_ sentence: String) { write("inkling: \(sentence)\n", to: 2) }

    public static var isInputTerminal: Bool { isatty(0) == 1 }

    public static var isOutputTerminal: Bool { isatty(1) == 1 }

    /// The width of standard output where it is a terminal.
    public static var outputColumns: Int? { isatty(1) == 1 ? TerminalOutput.terminalSize().columns : nil }

    public static var usesColor: Bool {
        func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
        return isatty(1) == 1 && variable("NO_COLOR").isEmpty && variable("TERM") != "dumb"
    }

    /// Writes a file that only its owner can read.
    ///
    /// - Throws: `ClientError.usage` when it is there and is not to be replaced, or cannot be written.
    public static func writeFile(_ text: String, to path: String, replacing: Bool) throws(ClientError) {
        let shown = TextSanitizer.line(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (replacing ? O_TRUNC : O_EXCL), 0o600)
        guard descriptor >= 0 else {
            if errno == EEXIST { throw .usage("\(shown) is there already; --force replaces it") }
            throw .failed("\(shown) cannot be written: \(ClientError.system(errno))")
        }
        defer { close(descriptor) }
        guard FileBytes.write(Array(text.utf8), to: descriptor) else {
            throw .failed("\(shown) cannot be written: \(ClientError.system(errno))")
        }
    }

    private static func failWriting() -> Int32 {
        let reason = ClientError.system(errno)
        RawMode.leave()
        complain("cannot write the output: \(reason)")
        return 1
    }

    /// All of standard input when it is a pipe or a file, as text; `nil` when it is a terminal or nothing.
    ///
    /// - Throws: `ClientError.usage` when it is no text or longer than `limit` bytes.
    public static func pipedInput(limit: Int = 16 << 20) throws(ClientError) -> String? {
        var status = stat()
        guard fstat(0, &status) == 0 else { return nil }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFIFO || kind == S_IFREG || kind == S_IFSOCK else { return nil }
        guard let bytes = FileBytes.read(0, limit: limit) else {
            throw .failed("the input cannot be read, or is longer than \(limit >> 20) MiB")
        }
        guard !bytes.contains(0) else { throw .usage("the input is no text: it has NUL bytes") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
