import AssistantAPI

/// Keeps a picture for each line, where no keys can be followed: in pipes, and in terminals that only show lines.
struct LiveLines: Sendable {
    let client: DaemonClient
    let options: LiveOptions
    let output: TerminalOutput
    let reconnect: @Sendable () async throws -> Void
    /// A person types the lines.
    let isRead: Bool
    /// Between two attempts to have a canvas.
    var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    /// With the pauses between them, 13 s.
    private static let attemptLimit = 12

    /// Paints the text of the options, then each line, on one canvas, and writes the files' names.
    ///
    /// - Throws: `ClientError` with the first picture that could not be kept, or why there is no canvas.
    func run(_ lines: AsyncStream<String>) async throws {
        var settings = options.settings
        settings.format = .webp
        let link = CanvasLink(
            client: client, draft: CanvasDraft(settings: settings), attemptLimit: Self.attemptLimit,
            reconnect: reconnect, sleep: sleep, receive: { _ in })
        await link.start()
        do {
            var revision = 0
            func paint(_ text: String) async throws {
                guard text.contains(where: { !$0.isWhitespace }) else { return }
                revision += 1
                try await keep(Canvas.Prompt(text: text, revision: revision), link)
            }
            try await paint(options.prompt)
            ask()
            for await line in lines {
                try await paint(line)
                ask()
            }
            if Task.isCancelled { throw ClientError.cancelled }
        } catch {
            await link.close()
            throw error
        }
        await link.close()
    }

    private func ask() { if isRead { output.write(LiveSession.prompt) } }

    private func keep(_ prompt: Canvas.Prompt, _ link: CanvasLink) async throws {
        let picture = try await link.commit(prompt, CanvasCommit()).picture
        let path = try await PictureKeeper(client: client, folder: options.folder).write(picture).path
        output.write((isRead ? TextSanitizer.line(path) : path) + "\n")
    }
}
