import Glibc

extension LiveSession {
    /// Runs on the process's own terminal, or line by line where there is none.
    ///
    /// - Throws: `ClientError` where there is no terminal and a picture cannot be kept.
    public static func onTerminal(
        client: DaemonClient, launcher: DaemonLauncher, options: LiveOptions, environment: [String: String]
    ) async throws {
        let output = TerminalOutput.standard(isPlain: options.isPlain, environment: environment)
        let reconnect: @Sendable () async throws -> Void = { try await launcher.ensureRunning { _ in } }
        guard isatty(0) == 1, output.isTerminal else {
            let lines = AsyncStream<String> { continuation in
                LineReader.start { line in
                    if let line { continuation.yield(line) } else { continuation.finish() }
                }
            }
            let live = LiveLines(
                client: client, options: options, output: output, reconnect: reconnect,
                isRead: isatty(0) == 1)
            try await Interruption.cancelling { try await live.run(lines) }
            return
        }
        let display = FrameDisplay.detect(preferred: options.graphics, environment: environment)
        let start = ContinuousClock.now
        let session = LiveSession(
            client: client, options: options,
            surroundings: Surroundings(
                output: output, display: display, reconnect: reconnect,
                suspend: { await RawMode.suspend() }, elapsed: { start.duration(to: .now) }))
        let post = session.post
        RawMode.enter()
        let reader = KeyReader(typed: TerminalQuestion.takeTyped()) { post.yield(.key($0)) }
        let signals = SignalEvents([SIGWINCH, SIGCONT]) { post.yield(.signal($0)) }
        await session.run()
        withExtendedLifetime((reader, signals)) {}
        RawMode.leave()
    }
}
