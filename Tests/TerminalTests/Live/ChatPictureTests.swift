import AssistantAPI
import Foundation
import Testing

@testable import Terminal

/// Answers of the chat that are pictures.
@Suite(.timeLimit(.minutes(1))) struct ChatPictureTests {
    private static let conversation = Conversation(
        id: "c1", createdAt: CanvasServer.date, updatedAt: CanvasServer.date)

    private static let answer = Message(
        id: "m2", conversation: "c1", role: .assistant, content: "picture: a fox",
        createdAt: CanvasServer.date, finish: .stop, picture: "p1")

    /// A daemon that answers with a picture, where it may.
    private static func daemon(_ bodies: Log) throws -> CanvasServer {
        guard case .frame(let frame) = CanvasServer.frame(1, revision: 1) else { preconditionFailure() }
        let events: [ChatEvent] = [
            .accepted(.init(message: nil, answer: "m2", model: "m")),
            .painting(.init(prompt: "a fox", step: 1, steps: 4)),
            .picture(.init(index: 0, picture: CanvasServer.picture, data: frame.data)),
            .completed(
                .init(
                    message: answer,
                    timings: .init(queued: 0, loading: 0, prefill: 1, decode: 1, firstToken: 1))),
        ]
        return try CanvasServer(
            follow: { connection, _ in connection.waitForClose() },
            other: { connection in
                switch (connection.request.method, connection.request.target) {
                case ("POST", "/inkling/v1/conversations"):
                    connection.answer(CanvasServer.text(conversation), status: "201 Created")
                case ("POST", "/inkling/v1/conversations/c1/messages"):
                    bodies.add(connection.request.body + "\n")
                    connection.beginStream()
                    for event in events {
                        let data = (try? event.data()) ?? Data()
                        connection.event(event.name, String(decoding: data, as: UTF8.self))
                    }
                case ("PUT", _): connection.answer("{}", status: "202 Accepted")
                default: return false
                }
                return true
            })
    }

    private func session(
        _ canvas: CanvasServer, _ log: Log, style: ChatSession.InputStyle
    ) -> ChatSession {
        let output = TerminalOutput(
            isTerminal: style == .keys, usesColor: false, measure: { .init(columns: 60, rows: 20) },
            sink: { log.add($0) })
        return ChatSession(
            client: canvas.client, options: .init(),
            surroundings: .init(
                output: output, inputStyle: style, reconnect: {}, edit: { $0 }, suspend: {}, historyFile: nil,
                display: style == .keys ? FrameDisplay(TerminalGraphics(graphics: .blocks)) : nil))
    }

    @Test func aPictureIsShownInTheConversation() async throws {
        let (bodies, log) = (Log(), Log())
        let canvas = try Self.daemon(bodies)
        defer { canvas.stop() }
        let session = session(canvas, log, style: .keys)
        let end = Task { await session.run() }
        var parser = KeyParser()
        for key in parser.parse("/pictures on\rpaint a fox\r".utf8) { session.post.yield(.key(key)) }
        await log.wait(for: "picture p1  64×48  1.2 kB  seed 7")
        for key in parser.parse("/bye\r".utf8) { session.post.yield(.key(key)) }
        #expect(await end.value == 0)
        #expect(log.text.contains("\u{2580}"))
        #expect(bodies.text == #"{"content":"paint a fox","pictures":true}"# + "\n")
    }

    @Test func aPipeIsToldWhatWasPaintedAndItsName() async throws {
        let (bodies, log) = (Log(), Log())
        let canvas = try Self.daemon(bodies)
        defer { canvas.stop() }
        let session = session(canvas, log, style: .pipe)
        for line in ["paint a fox", "/pictures off", "paint a fox", "/pictures maybe"] {
            session.post.yield(.line(line))
        }
        session.post.yield(.line(nil))
        #expect(await session.run() == 1)
        #expect(log.text == "a fox\npicture p1\na fox\npicture p1\n")
        #expect(
            bodies.text == #"{"content":"paint a fox"}"# + "\n"
                + #"{"content":"paint a fox","pictures":false}"# + "\n")
    }
}
