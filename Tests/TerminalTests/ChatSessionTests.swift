import AssistantAPI
import Foundation
import Synchronization
import Testing

@testable import Terminal

@Suite struct ChatSessionTests {
    /// What the session wrote.
    private final class Recorder: Sendable {
        private let written = Mutex("")
        var text: String { written.withLock { $0 } }
        private let (changes, change) = AsyncStream.makeStream(of: Void.self)

        func add(_ text: String) {
            written.withLock { $0 += text }
            change.yield()
        }

        func wait(for part: String) async {
            if text.contains(part) { return }
            for await _ in changes where text.contains(part) { return }
        }
    }

    private static let date = "2025-01-02T03:04:05.000Z"

    private static func conversation(_ id: String = "c1", title: String = "T") -> String {
        #"{"id":"\#(id)","title":"\#(title)","created_at":"\#(date)","updated_at":"\#(date)","message_count":2,"is_private":false}"#
    }

    private static func message(_ id: String, _ role: String, _ content: String, finish: String? = nil)
        -> String
    {
        let end = finish.map { #","finish":"\#($0)","usage":\#(usage)"# } ?? ""
        return
            #"{"id":"\#(id)","conversation":"c1","role":"\#(role)","content":"\#(content)","created_at":"\#(date)","sibling_count":1,"sibling_index":0\#(end)}"#
    }

    private static let usage = #"{"prompt_tokens":9,"cached_tokens":8,"completion_tokens":3}"#

    private static let timings = #"{"queued":0,"loading":0,"prefill":1,"decode":1,"first_token":1}"#

    /// A daemon that says back what it is told.
    private static func respond(_ connection: SocketServer.Connection) {
        let request = connection.request
        switch (request.method, request.target.split(separator: "?").first ?? "") {
        case ("POST", "/inkling/v1/conversations"): connection.answer(conversation(), status: "201 Created")
        case ("GET", "/inkling/v1/conversations"):
            connection.answer(#"{"conversations":[\#(conversation())]}"#)
        case ("GET", "/inkling/v1/conversations/c1"):
            connection.answer(
                #"{"conversation":\#(conversation()),"messages":[\#(message("m1", "user", "old question")),\#(message("m2", "assistant", "old answer", finish: "stop"))]}"#
            )
        case ("PATCH", _), ("DELETE", _): connection.answer(conversation())
        case ("GET", "/v1/models/other"): connection.answer(#"{"id":"other"}"#)
        case ("POST", "/inkling/v1/conversations/c1/messages"):
            let draft = try? Wire.decoder().decode(MessageDraft.self, from: Data(request.body.utf8))
            let question = message("m3", "user", draft?.content ?? "x")
            connection.beginStream()
            connection.event("accepted", #"{"message":\#(question),"answer":"m4","model":"m"}"#)
            for piece in [" You", " said: ", "\\u001b[31m"] {
                connection.event("token", #"{"text":"\#(piece)"}"#)
            }
            connection.event("token", #"{"text":"\#(draft?.content ?? "something")"}"#)
            connection.event(
                "completed",
                #"{"message":\#(message("m4", "assistant", "y", finish: "stop")),"timings":\#(timings)}"#)
        default:
            connection.answer(#"{"error":{"message":"there is no such thing"}}"#, status: "404 Not Found")
        }
    }

    /// Runs a session on keys or lines until it ends, and returns all that it wrote.
    private func run(
        _ server: SocketServer, keys: String? = nil, lines: [String]? = nil,
        options: ChatSession.Options = .init(), recorder: Recorder = Recorder()
    ) async -> (output: String, code: Int32) {
        let session = session(server, keys == nil ? .pipe : .keys, options, recorder)
        if let keys {
            var parser = KeyParser()
            for key in parser.parse(keys.utf8) { session.post.yield(.key(key)) }
            session.post.yield(.key(nil))
        }
        for line in lines ?? [] { session.post.yield(.line(line)) }
        session.post.yield(.line(nil))
        let code = await session.run()
        return (recorder.text, code)
    }

    private func session(
        _ server: SocketServer, _ style: ChatSession.InputStyle, _ options: ChatSession.Options,
        _ recorder: Recorder
    ) -> ChatSession {
        let output = TerminalOutput(
            isTerminal: style == .keys, usesColor: false, measure: { .init(columns: 60, rows: 20) },
            sink: { recorder.add($0) })
        return ChatSession(
            client: DaemonClient(socket: server.path), options: options,
            surroundings: .init(
                output: output, inputStyle: style, reconnect: { throw ClientError.notRunning(socket: "s") },
                edit: { $0 + " edited" }, suspend: {}, historyFile: nil))
    }

    @Test func linesOfAPipeAreAnsweredInTurn() async throws {
        let server = try SocketServer(Self.respond)
        defer { server.stop() }
        let (output, code) = await run(server, lines: ["one", "", "two"])
        #expect(output == "You said: [31mone\nYou said: [31mtwo\n")
        #expect(code == 0)
        #expect(server.requests.filter { $0.target == "/inkling/v1/conversations" }.count == 1)
    }

    @Test func aFailedLastLineIsAFailure() async throws {
        let server = try SocketServer { connection in
            connection.answer(#"{"error":{"message":"there is no such thing"}}"#, status: "404 Not Found")
        }
        defer { server.stop() }
        #expect(await run(server, lines: ["one"]).code == 1)
    }

    @Test func keysTypedAheadWaitTheirTurn() async throws {
        let server = try SocketServer(Self.respond)
        defer { server.stop() }
        let (output, _) = await run(server, keys: "one\rtwo\r/bye\r")
        var model = TerminalModel(columns: 60, rows: 20)
        model.write(output.replacing("\r\n", with: "\n").replacing("\n", with: "\r\n"))
        #expect(
            model.lines == [
                ">>> one", "You said: [31mone", "", ">>> two", "You said: [31mtwo", "", ">>> /bye",
            ])
        #expect(model.unknown.isEmpty)
    }

    @Test func noControlCharacterOfTheModelIsWritten() async throws {
        let server = try SocketServer(Self.respond)
        defer { server.stop() }
        let (output, _) = await run(server, lines: ["one"])
        #expect(output.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
    }

    @Test func settingsAndTheSystemPromptGoWithTheMessage() async throws {
        let server = try SocketServer(Self.respond)
        defer { server.stop() }
        _ = await run(server, lines: ["/set temperature 0.5", "/system be brief", "one"])
        let created = try #require(server.requests.first { $0.target == "/inkling/v1/conversations" })
        #expect(created.body.contains(#""system":"be brief""#))
        let sent = try #require(server.requests.last)
        #expect(sent.body.contains(#""temperature":0.5"#))
    }

    @Test func regenerateNamesTheAnswerAndEditTheQuestion() async throws {
        let server = try SocketServer(Self.respond)
        defer { server.stop() }
        _ = await run(server, lines: ["/regenerate", "one", "/regenerate", "/edit two"])
        let drafts = server.requests.filter { $0.target.hasSuffix("/messages") }.map(\.body)
        #expect(drafts.count == 3)
        #expect(drafts.dropFirst().first?.contains(#""regenerates":"m4""#) == true)
        #expect(drafts.last?.contains(#""edits":"m3""#) == true)
        #expect(drafts.last?.contains(#""content":"two""#) == true)
    }

    @Test func anEarlierConversationIsGoneOnWith() async throws {
        let server = try SocketServer(Self.respond)
        defer { server.stop() }
        var options = ChatSession.Options()
        options.conversation = "last"
        let (output, code) = await run(server, keys: "/regenerate\r/bye\r", options: options)
        #expect(output.contains("old question"))
        #expect(output.contains("old answer"))
        #expect(code == 0)
        #expect(server.requests.last?.body.contains(#""regenerates":"m2""#) == true)
    }

    @Test func anotherModelGoesOnWithAnEarlierConversationWhereItIsNamed() async throws {
        let server = try SocketServer(Self.respond)
        defer { server.stop() }
        var options = ChatSession.Options()
        (options.conversation, options.model) = ("last", "other")
        _ = await run(server, keys: "/bye\r", options: options)
        #expect(server.requests.contains { $0.method == "PATCH" && $0.body.contains(#""model":"other""#) })
    }

    @Test(arguments: [
        ("/help", "//help"), ("/imagine a fox", "/imagine a fox"), ("/usr/bin/env prints what?", nil),
        ("a fox", nil),
    ])
    func aMessageThatLooksLikeACommandIsEditedAsAMessage(message: String, line: String?) {
        #expect(ChatCommand.line(of: message) == line ?? message)
    }

    @Test func howQuickAnAnswerWasIsToldWhereSomebodyWantsToKnow() async throws {
        let server = try SocketServer(Self.respond)
        defer { server.stop() }
        let figures = "first token 1 ms · 3 tokens"
        let (quiet, _) = await run(server, keys: "one\r/bye\r")
        #expect(!quiet.contains("first token"))
        let (told, _) = await run(server, keys: "/stats on\rone\r/stats off\rtwo\r/stats maybe\r/bye\r")
        #expect(told.ranges(of: figures).count == 1)
        #expect(told.contains("/stats takes on or off, not \"maybe\""))
        var options = ChatSession.Options()
        options.showsFigures = true
        #expect(await run(server, keys: "one\r/bye\r", options: options).output.contains(figures))
        // The output of a pipe is answers alone.
        #expect(await run(server, lines: ["one"], options: options).output == "You said: [31mone\n")
    }

    @Test func unknownCommandsAreAnsweredWithTheNearest() async throws {
        let server = try SocketServer(Self.respond)
        defer { server.stop() }
        let (output, _) = await run(server, keys: "/hlep\r/bye\r")
        #expect(output.contains("There is no command /hlep; did you mean /help?"))
    }

    @Test func controlCStopsTheAnswerAndKeepsTheSession() async throws {
        let (started, closed) = (Signal(), Signal())
        let server = try SocketServer { connection in
            guard connection.request.target.hasSuffix("/messages") else { return Self.respond(connection) }
            connection.beginStream()
            connection.event("token", #"{"text":"Half"}"#)
            started.fire()
            connection.waitForClose()
            closed.fire()
        }
        defer { server.stop() }
        let recorder = Recorder()
        let session = session(server, .keys, .init(), recorder)
        let end = Task { await session.run() }
        var parser = KeyParser()
        for key in parser.parse("one\rahead\r".utf8) { session.post.yield(.key(key)) }
        await started.wait()
        session.post.yield(.key(.control("c")))
        await closed.wait()
        // The line that waited came back into the editor instead of being sent.
        await recorder.wait(for: ">>> ahead")
        for key in parser.parse("\u{03}/bye\r".utf8) { session.post.yield(.key(key)) }
        #expect(await end.value == 0)
        #expect(recorder.text.contains("(stopped)"))
        #expect(server.requests.filter { $0.target.hasSuffix("/messages") }.count == 1)
    }

    @Test func controlCEndsAPipedSession() async throws {
        let (started, closed) = (Signal(), Signal())
        let server = try SocketServer { connection in
            guard connection.request.target.hasSuffix("/messages") else { return Self.respond(connection) }
            connection.beginStream()
            started.fire()
            connection.waitForClose()
            closed.fire()
        }
        defer { server.stop() }
        let session = session(server, .pipe, .init(), Recorder())
        let end = Task { await session.run() }
        for line in ["one", "two"] { session.post.yield(.line(line)) }
        await started.wait()
        session.post.yield(.signal(SIGINT))
        #expect(await end.value == 130)
        await closed.wait()
    }

    @Test func aLostDaemonIsSaidAndTheSessionGoesOn() async throws {
        let server = try SocketServer { connection in
            guard connection.request.target.hasSuffix("/messages") else { return Self.respond(connection) }
            connection.beginStream()
            connection.event("token", #"{"text":"Half"}"#)
        }
        defer { server.stop() }
        let (output, code) = await run(server, keys: "one\r/bye\r")
        #expect(output.contains("Half\ninkling: the daemon closed the connection"))
        #expect(code == 0)
    }

    @Test func slowStepsAreShownOnARowOfTheirOwnThatGoesAway() async throws {
        let (started, go) = (Signal(), DispatchSemaphore(value: 0))
        let server = try SocketServer { connection in
            guard connection.request.target.hasSuffix("/messages") else { return Self.respond(connection) }
            connection.beginStream()
            connection.event("loading", #"{"fraction":0.25}"#)
            started.fire()
            go.wait()
            Self.respond(connection)
        }
        defer { server.stop() }
        let recorder = Recorder()
        let session = session(server, .keys, .init(), recorder)
        let end = Task { await session.run() }
        var parser = KeyParser()
        for key in parser.parse("one\r/bye\r".utf8) { session.post.yield(.key(key)) }
        await started.wait()
        session.post.yield(.slow(answer: 1))
        await recorder.wait(for: "loading the model (25 %)…")
        go.signal()
        _ = await end.value
        var model = TerminalModel(columns: 60, rows: 20)
        model.write(recorder.text.replacing("\r\n", with: "\n").replacing("\n", with: "\r\n"))
        #expect(!model.lines.contains { $0.contains("loading") })
    }

    @Test func plainLinesHaveAPromptAndNoCursorMovement() async throws {
        let server = try SocketServer(Self.respond)
        defer { server.stop() }
        let recorder = Recorder()
        let session = session(server, .lines, .init(), recorder)
        for line in ["one", "\"\"\"", "two", "lines\"\"\"", "/set seed 5"] { session.post.yield(.line(line)) }
        session.post.yield(.line(nil))
        #expect(await session.run() == 0)
        #expect(!recorder.text.contains("\u{1B}"))
        #expect(recorder.text.hasPrefix(">>> You said: [31mone\n\n"))
        #expect(server.requests.contains { $0.body.contains(#""content":"two\nlines""#) })
        #expect(recorder.text.contains("seed is 5"))
    }

    @Test func controlGHandsTheLineToAnEditor() async throws {
        let server = try SocketServer(Self.respond)
        defer { server.stop() }
        _ = await run(server, keys: "text\u{07}\r/bye\r")
        #expect(server.requests.contains { $0.body.contains(#""content":"text edited""#) })
    }

    @Test func twoInterruptsOnAnEmptyLineSayHowToLeave() async throws {
        let server = try SocketServer(Self.respond)
        defer { server.stop() }
        #expect(await run(server, keys: "\u{03}\u{03}\u{04}").output.contains("Control-D or /bye leaves."))
        #expect(await run(server, keys: "\u{03}x\u{03}\u{03}\u{04}").output.contains("leaves.") == false)
    }
}
