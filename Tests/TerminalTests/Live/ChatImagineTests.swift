import AssistantAPI
import Foundation
import ImageCodecs
import Synchronization
import Testing

@testable import Terminal

/// `/imagine` and typed drafts in the chat.
@Suite(.timeLimit(.minutes(1))) struct ChatImagineTests {
    private static let conversation = Conversation(
        id: "c1", createdAt: CanvasServer.date, updatedAt: CanvasServer.date)

    private static let messages = [
        Message(
            id: "m1", conversation: "c1", role: .user, content: "/imagine a fox",
            createdAt: CanvasServer.date),
        Message(
            id: "m2", conversation: "c1", role: .assistant, content: "picture: a fox",
            createdAt: CanvasServer.date, picture: "p1"),
    ]

    /// A daemon with canvases and one conversation, which says "yes" to everything that `other` doesn't answer.
    private static func daemon(
        _ drafts: Log = Log(), other: @escaping @Sendable (SocketServer.Connection) -> Bool = { _ in false }
    ) throws -> CanvasServer {
        try CanvasServer.painting(
            messages: messages,
            other: { connection in
                if other(connection) { return true }
                switch (connection.request.method, connection.request.target) {
                case ("POST", "/inkling/v1/conversations"):
                    connection.answer(CanvasServer.text(conversation), status: "201 Created")
                case ("GET", "/inkling/v1/conversations/c1"):
                    connection.answer(
                        CanvasServer.text(Transcript(conversation: conversation, messages: messages)))
                case ("PUT", "/inkling/v1/conversations/c1/draft"):
                    drafts.add(connection.request.body)
                    connection.answer("{}", status: "202 Accepted")
                default: return false
                }
                return true
            })
    }

    private func session(
        _ canvas: CanvasServer, _ log: Log, style: ChatSession.InputStyle = .keys,
        conversation: String? = nil,
        graphics: GraphicsProtocol = .blocks
    ) -> ChatSession {
        var options = ChatSession.Options()
        options.conversation = conversation
        let output = TerminalOutput(
            isTerminal: style == .keys, usesColor: false, measure: { .init(columns: 60, rows: 20) },
            sink: { log.add($0) })
        return ChatSession(
            client: canvas.client, options: options,
            surroundings: .init(
                output: output, inputStyle: style, reconnect: {}, edit: { $0 }, suspend: {}, historyFile: nil,
                display: style == .keys ? FrameDisplay(TerminalGraphics(graphics: graphics)) : nil))
    }

    private func press(_ keys: String, _ session: ChatSession) {
        var parser = KeyParser()
        for key in parser.parse(keys.utf8) { session.post.yield(.key(key)) }
    }

    @Test func thePictureFollowsAnImagineLineAndEnterPutsItIntoTheConversation() async throws {
        let (canvas, log) = (try Self.daemon(), Log())
        defer { canvas.stop() }
        let session = session(canvas, log)
        let end = Task { await session.run() }
        press("/imagine a fox", session)
        await log.wait(for: "\u{2580}")
        press("\r", session)
        await log.wait(for: "picture p1  64×48  1.2 kB  seed 7")
        press("/bye\r", session)
        #expect(await end.value == 0)
        #expect(canvas.texts.contains("a fox"))
        let commit = try #require(canvas.server.requests.first { $0.target.hasSuffix("/commit") })
        #expect(commit.body == #"{"conversation":"c1"}"#)
        #expect(canvas.opened == 1)
    }

    @Test func thePictureThatTheConversationHasRemainsOnTheScreen() async throws {
        let log = Log()
        let kept = try PNG.encode(.painted(4, 4) { _, _ in (1, 2, 250) })
        let canvas = try Self.daemon { connection in
            guard connection.request.target.hasSuffix("/pictures/p1") else { return false }
            connection.answer(file: kept)
            return true
        }
        defer { canvas.stop() }
        let session = session(canvas, log, graphics: .kitty)
        let end = Task { await session.run() }
        press("/imagine a fox\r", session)
        await log.wait(for: "picture p1", after: Data(kept).base64EncodedString())
        press("/bye\r", session)
        #expect(await end.value == 0)
    }

    @Test func editingAPictureRendersItAgainAndBecomesABranch() async throws {
        let (canvas, log) = (try Self.daemon(), Log())
        defer { canvas.stop() }
        let session = session(canvas, log)
        let end = Task { await session.run() }
        press("/imagine a fox\r", session)
        await log.wait(for: "picture p1")
        press("/edit\r", session)
        // The picture of the words as they were, of which the daemon sends no frame again.
        await log.wait(for: "\u{2580}", after: "edit> /imagine a fox")
        press("es\r", session)
        await log.wait(for: "picture p1")
        press("/bye\r", session)
        #expect(await end.value == 0)
        let commits = canvas.server.requests.filter { $0.target.hasSuffix("/commit") }.map(\.body)
        #expect(commits == [#"{"conversation":"c1"}"#, #"{"conversation":"c1","edits":"m1"}"#])
        #expect(canvas.texts.contains("a foxes"))
    }

    @Test func anEarlierFrameGoesIntoTheConversationAndTheLineStays() async throws {
        let log = Log()
        let entries = ["red fox", "a hen"].enumerated().map { index, text in
            var recipe = CanvasServer.picture.recipe
            recipe.prompt = text
            return CanvasTimeline.Entry(
                number: index + 1, revision: index + 1, stage: .settled, frame: FrameRecipe(recipe: recipe),
                shownAt: CanvasServer.date)
        }
        let canvas = try Self.daemon { connection in
            let target = connection.request.target
            if target.hasSuffix("/frames") {
                connection.answer(CanvasServer.text(CanvasTimeline(frames: entries)))
            } else if target.hasSuffix("/frames/1") {
                connection.answer("FRAME")
            } else {
                return false
            }
            return true
        }
        defer { canvas.stop() }
        let session = session(canvas, log)
        let end = Task { await session.run() }
        press("/imagine a hen", session)
        await log.wait(for: "\u{2580}")
        // Enter waits for the frame that is on its way.
        press("\u{1B}[5~\r", session)
        await log.wait(for: "picture p1")
        await log.wait(for: ">>> /imagine a hen", after: "picture p1")
        press("\u{03}/bye\r", session)
        #expect(await end.value == 0)
        let commits = canvas.server.requests.filter { $0.target.hasSuffix("/commit") }.map(\.body)
        #expect(commits == [#"{"conversation":"c1","frame":1}"#])
        #expect(log.text.contains("red fox"))
    }

    @Test func tabPaintsAnImagineLineWithAnotherSeed() async throws {
        let (log, patched) = (Log(), Log())
        let canvas = try Self.daemon { connection in
            if connection.request.method == "PATCH" { patched.add(connection.request.body) }
            return false
        }
        defer { canvas.stop() }
        let session = session(canvas, log)
        let end = Task { await session.run() }
        press("/imagine a hen", session)
        await log.wait(for: "\u{2580}")
        press("\t", session)
        await patched.wait(for: #"{"seed":1}"#)
        press("\u{03}/bye\r", session)
        #expect(await end.value == 0)
        #expect(patched.text == #"{"seed":1}"#)
    }

    @Test func whatWasTypedAheadSurvivesAPictureThatFails() async throws {
        let (log, asked, answer) = (Log(), Signal(), DispatchSemaphore(value: 0))
        let canvas = try Self.daemon { connection in
            guard connection.request.target.hasSuffix("/commit") else { return false }
            asked.fire()
            answer.wait()
            connection.answer(#"{"error":{"message":"no room on the disk"}}"#, status: "507 Full")
            return true
        }
        defer { canvas.stop() }
        let session = session(canvas, log)
        let end = Task { await session.run() }
        press("/imagine a fox\r", session)
        await asked.wait()
        press("why", session)
        answer.signal()
        await log.wait(for: ">>> why", after: "no room on the disk")
        press("\u{15}/bye\r", session)
        #expect(await end.value == 0)
    }

    @Test func controlCBringsBackWhatWasTypedWhileAPictureIsPainted() async throws {
        let (log, asked) = (Log(), Signal())
        let canvas = try Self.daemon { connection in
            guard connection.request.target.hasSuffix("/commit") else { return false }
            asked.fire()
            connection.waitForClose()
            return true
        }
        defer { canvas.stop() }
        let session = session(canvas, log)
        let end = Task { await session.run() }
        press("/imagine a fox\r", session)
        await asked.wait()
        press("one\rtwo\rthr\u{03}", session)
        await log.wait(for: "... thr")
        press("\u{03}/bye\r", session)
        #expect(await end.value == 0)
        #expect(log.text.contains("... two"))
    }

    @Test func aLineIsNotJoinedToThatOfAPictureThatFailed() async throws {
        let (log, bodies) = (Log(), Log())
        let canvas = try Self.daemon { connection in
            let target = connection.request.target
            if target.hasSuffix("/messages") { bodies.add(connection.request.body) }
            guard target.hasSuffix("/commit") || target.hasSuffix("/messages") else { return false }
            connection.answer(#"{"error":{"message":"no room on the disk"}}"#, status: "507 Full")
            return true
        }
        defer { canvas.stop() }
        let session = session(canvas, log, style: .lines)
        let end = Task { await session.run() }
        session.post.yield(.line("/imagine a fox"))
        await log.wait(for: "no room on the disk")
        session.post.yield(.line("hello"))
        session.post.yield(.line(nil))
        #expect(await end.value == 0)
        #expect(bodies.text == #"{"content":"hello"}"#)
    }

    @Test func aPipeIsToldThePicturesName() async throws {
        let (canvas, log) = (try Self.daemon(), Log())
        defer { canvas.stop() }
        let session = session(canvas, log, style: .pipe)
        session.post.yield(.line("/imagine a fox"))
        session.post.yield(.line(nil))
        #expect(await session.run() == 0)
        #expect(log.text == "picture p1\n")
    }

    @Test func anImagineLineWithoutWordsIsExplained() async throws {
        let (canvas, log) = (try Self.daemon(), Log())
        defer { canvas.stop() }
        let session = session(canvas, log)
        press("/imagine\r/bye\r", session)
        #expect(await session.run() == 0)
        #expect(log.text.contains("/imagine takes what to paint"))
        #expect(canvas.opened == 0)
    }

    @Test func whatIsTypedInAConversationIsToldAhead() async throws {
        let drafts = Log()
        let (canvas, log) = (try Self.daemon(drafts), Log())
        defer { canvas.stop() }
        let session = session(canvas, log, conversation: "c1")
        let end = Task { await session.run() }
        press("why is", session)
        await drafts.wait(for: #"{"text":"why is"}"#)
        press("\u{15}/bye\r", session)
        #expect(await end.value == 0)
        // A command is nobody's draft.
        #expect(!drafts.text.contains("/bye"))
    }
}
