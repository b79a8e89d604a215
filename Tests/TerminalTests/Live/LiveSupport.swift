import AssistantAPI
import Foundation

@testable import Terminal

extension LiveSession {
    static let testSize = TerminalOutput.Size(columns: 80, rows: 20)

    /// A session on a daemon of a test, which writes to a log and keeps its pictures in a folder.
    static func testing(
        _ canvas: CanvasServer, _ log: Log, _ folder: TemporaryFolder, text: String = "",
        graphics: GraphicsProtocol? = .blocks
    ) throws -> LiveSession {
        let options = try LiveOptions(prompt: text, target: .folder(folder.path))
        return LiveSession(
            client: canvas.client, options: options,
            surroundings: .init(
                output: TerminalOutput(
                    isTerminal: true, usesColor: false, measure: { LiveSession.testSize },
                    sink: { log.add($0) }),
                display: graphics.map { FrameDisplay(TerminalGraphics(graphics: $0)) }, reconnect: {},
                suspend: {}, elapsed: { .zero }))
    }

    /// Types keys, as a terminal sends them.
    nonisolated func press(_ keys: String) {
        var parser = KeyParser()
        for key in parser.parse(keys.utf8) + parser.flush() { post.yield(.key(key)) }
    }
}

extension CanvasServer {
    /// A daemon that answers each text with a draft and a settled frame; one that it has painted last, with none.
    static func painting(
        messages: [Message] = [],
        other: @escaping @Sendable (SocketServer.Connection) -> Bool = { _ in false }
    ) throws -> CanvasServer {
        let (texts, text) = AsyncStream.makeStream(of: Canvas.Prompt.self)
        return try CanvasServer(
            follow: { connection, _ in
                connection.event(.canvas(CanvasServer.canvas()), id: 1)
                let done = DispatchSemaphore(value: 0)
                Task {
                    var (number, painted) = (0, "")
                    for await prompt in texts where !prompt.text.isEmpty {
                        let stages: [CanvasStage.Name] = prompt.text == painted ? [] : [.draft, .settled]
                        painted = prompt.text
                        for stage in stages {
                            number += 1
                            connection.event(
                                CanvasServer.frame(number, revision: prompt.revision, stage), id: number + 1)
                        }
                        connection.event(
                            .settled(.init(revision: prompt.revision, frame: number)), id: number + 2)
                    }
                    done.signal()
                }
                connection.waitForClose()
                text.finish()
                done.wait()
            }, type: { text.yield($0) }, messages: messages, other: other)
    }
}
