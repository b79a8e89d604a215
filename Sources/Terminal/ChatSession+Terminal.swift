import Dispatch
import Glibc

extension ChatSession {
    /// Runs a chat on the process's own terminal, or line by line where there is none.
    ///
    /// - Returns: the exit code.
    public static func onTerminal(
        client: DaemonClient, launcher: DaemonLauncher, options: Options, isPlain: Bool,
        graphics: GraphicsProtocol? = nil, historyFile: InputHistoryFile?, environment: [String: String]
    ) async -> Int32 {
        let output = TerminalOutput.standard(isPlain: isPlain, environment: environment)
        let style: InputStyle = isatty(0) != 1 ? .pipe : output.isTerminal ? .keys : .lines
        let pause = KeyPause()
        let start = ContinuousClock.now
        let surroundings = Surroundings(
            output: output, inputStyle: style,
            reconnect: { try await launcher.ensureRunning { StandardStreams.complain($0) } },
            edit: { text in
                await pause.begin()
                defer { pause.end() }
                return try await ExternalEditor(environment: environment).edit(text)
            },
            suspend: { if style == .keys { await RawMode.suspend() } },
            historyFile: historyFile,
            display: style == .keys
                ? FrameDisplay.detect(preferred: graphics, environment: environment) : nil,
            elapsed: { start.duration(to: .now) })
        let session = ChatSession(client: client, options: options, surroundings: surroundings)
        let post = session.post

        var signals: [Int32] = [SIGINT]
        if style == .keys {
            RawMode.enter()
            signals = [SIGWINCH, SIGCONT]
            pause.use(KeyReader(typed: TerminalQuestion.takeTyped()) { post.yield(.key($0)) })
        } else {
            LineReader.start { post.yield(.line($0)) }
        }
        let events = SignalEvents(signals) { post.yield(.signal($0)) }
        let code = await session.run()
        withExtendedLifetime(events) {}
        RawMode.leave()
        return code
    }

    /// Has the line edited in an editor of its own.
    func editElsewhere() async {
        guard !isBusy else { return }
        output.write(renderer.erase())
        do {
            editor.replace(with: try await surroundings.edit(editor.text))
        } catch {
            complain(error)
        }
        renderer.forget()
    }
}

/// Keeps the key reader from an editor's input.
private final class KeyPause: Sendable {
    private nonisolated(unsafe) var reader: KeyReader?
    /// What SIGINT does while no editor runs.
    private nonisolated(unsafe) var interruption = sigaction()

    /// Before the session runs.
    func use(_ reader: KeyReader) { self.reader = reader }

    func begin() async {
        reader?.pause()
        RawMode.leave()
        // Control-C in the editor is the editor's.
        var ignoring = sigaction()
        ignoring.__sigaction_handler.sa_handler = SIG_IGN
        sigaction(SIGINT, &ignoring, &interruption)
    }

    func end() {
        sigaction(SIGINT, &interruption, nil)
        RawMode.enter()
        reader?.resume()
    }
}
