public import AssistantAPI

/// Writes conversations to standard output, each question with its answer below it, and the pictures where the terminal
/// shows them.
public struct TranscriptPrinter: Sendable {
    private let client: DaemonClient
    private let output: TerminalOutput
    private let display: FrameDisplay?

    /// Rows of a screen that a picture leaves to what was asked for, and to what is typed next.
    private static let otherRows = 4

    init(client: DaemonClient, output: TerminalOutput, display: FrameDisplay?) {
        (self.client, self.output, self.display) = (client, output, display)
    }

    /// One that finds out how the terminal shows pictures, unless a way is preferred.
    public init(client: DaemonClient, preferring graphics: GraphicsProtocol?, environment: [String: String]) {
        let output = TerminalOutput.standard(isPlain: false, environment: environment)
        self.init(
            client: client, output: output,
            display: output.isTerminal
                ? FrameDisplay.detect(preferred: graphics, environment: environment) : nil)
    }

    /// Writes the messages from the one at `start` on; a picture that is no longer kept is left out.
    public func write(_ transcript: Transcript, from start: Int = 0) async {
        for (index, message) in transcript.messages.enumerated().dropFirst(start) {
            if index > start, message.role == .user { output.write("\n") }
            if let picture = message.picture { await draw(picture) }
            output.write(ConversationText.message(message))
        }
    }

    private func draw(_ picture: Picture.ID) async {
        guard let display, let file = try? await client.pictureFile(picture) else { return }
        var room = output.size()
        room.rows -= Self.otherRows
        // As in a chat: what erases the rest of a full row would erase its last character in some terminals.
        room.columns = max(1, room.columns - 1)
        if let text = display.draw(Array(file), in: room) { output.write(text) }
    }
}
