import AssistantAPI
import Foundation
import Synchronization
import Testing

@testable import Terminal

@Suite struct UnixSocketClientTests {
    private static let health = #"{"models":[],"pid":1,"status":"ok","version":"0.1.0"}"#

    private func health(of server: SocketServer, patience: Duration = .seconds(30)) async throws -> Health {
        try await DaemonClient(socket: server.path, patience: patience).health()
    }

    @Test func answersAreDecoded() async throws {
        let server = try SocketServer { $0.answer(Self.health) }
        defer { server.stop() }
        let health = try await health(of: server)
        #expect(health == Health(status: "ok", version: "0.1.0", pid: 1, models: []))
        #expect(server.requests.map(\.target) == ["/health"])
    }

    @Test func chunkedAnswersAreJoined() async throws {
        let server = try SocketServer { connection in
            connection.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            for character in Self.health { connection.write("1\r\n\(character)\r\n") }
            connection.write("0\r\n\r\n")
        }
        defer { server.stop() }
        #expect(try await health(of: server).pid == 1)
    }

    @Test func nobodyListeningIsSaid() async {
        let client = DaemonClient(socket: "/tmp/inkling-no-such-folder/s")
        await #expect(throws: ClientError.notRunning(socket: "/tmp/inkling-no-such-folder/s")) {
            try await client.health()
        }
    }

    @Test func aSocketThatNobodyServesAnyMoreIsSaid() async throws {
        let server = try SocketServer { $0.answer(Self.health) }
        defer { server.stop() }
        let path = server.path + "2"
        try "".write(toFile: path, atomically: false, encoding: .utf8)
        defer { unlink(path) }
        await #expect(throws: ClientError.notRunning(socket: path)) {
            try await DaemonClient(socket: path).health()
        }
    }

    @Test func longPathsAreSaid() async {
        let path = "/tmp/" + String(repeating: "x", count: 200)
        let error = await #expect(throws: ClientError.self) { try await DaemonClient(socket: path).health() }
        #expect(error?.description.contains("too long") == true)
    }

    @Test func anotherUsersServerIsSentNothing() async throws {
        let server = try SocketServer { $0.answer(Self.health) }
        defer { server.stop() }
        let client = UnixSocketClient(socket: server.path, patience: .seconds(30), user: geteuid() + 1)
        await #expect(throws: ClientError.foreignServer(socket: server.path, user: geteuid())) {
            try await client.send(.init("GET", "/health"))
        }
        #expect(server.requests.isEmpty)
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 200 OK\r\ncontent-le",
    ])
    func truncatedAnswersAreLostConnections(answer: String) async throws {
        let server = try SocketServer { $0.write(answer) }
        defer { server.stop() }
        await #expect(throws: ClientError.connectionLost) { try await health(of: server) }
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9.2\r\n", "\u{0}\u{1}\u{2}\u{3}garbage\r\n\r\n", "HTTP/9.9 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{]",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    ])
    func garbageIsABadAnswer(answer: String) async throws {
        let server = try SocketServer { connection in
            connection.write(answer)
            connection.waitForClose()
        }
        defer { server.stop() }
        let error = await #expect(throws: ClientError.self) { try await health(of: server) }
        guard case .badAnswer? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func refusalsCarryTheServersSentence() async throws {
        let server = try SocketServer {
            $0.answer(
                #"{"error":{"message":"the queue is full\u001b[2J","type":"x","code":"queue_full","param":null}}"#,
                status: "503 Service Unavailable")
        }
        defer { server.stop() }
        let error = await #expect(throws: ClientError.self) { try await health(of: server) }
        #expect(error == .refused(status: 503, code: "queue_full", message: "the queue is full\u{1B}[2J"))
        #expect(error?.description == "the queue is full[2J")
    }

    @Test func silenceEndsInTime() async throws {
        let server = try SocketServer { $0.waitForClose() }
        defer { server.stop() }
        await #expect(throws: ClientError.timedOut(seconds: 0)) {
            try await health(of: server, patience: .milliseconds(20))
        }
    }

    @Test func eventsComeAsTheyAreSent() async throws {
        let server = try SocketServer { connection in
            connection.beginStream()
            connection.event("token", #"{"text":"Hel"}"#)
            connection.event("novelty", "{}")
            connection.event("token", #"{"text":"lo"}"#)
            connection.event("failed", #"{"error":{"code":"out_of_memory","message":"no room"}}"#)
        }
        defer { server.stop() }
        let events = Mutex<[ChatEvent]>([])
        try await DaemonClient(socket: server.path).send(MessageDraft(content: "hi"), to: "a b") { event in
            events.withLock { $0.append(event) }
        }
        let expected: [ChatEvent] = [
            .token(.init(text: "Hel")), .token(.init(text: "lo")),
            .failed(.init(error: AssistantError(.outOfMemory, "no room"), message: nil)),
        ]
        #expect(events.withLock { $0 } == expected)
        #expect(server.requests.first?.target == "/inkling/v1/conversations/a%20b/messages")
        #expect(server.requests.first?.body == #"{"content":"hi"}"#)
    }

    @Test func aStreamThatBreaksOffIsALostConnection() async throws {
        let server = try SocketServer { connection in
            connection.beginStream()
            connection.event("token", #"{"text":"Hel"}"#)
        }
        defer { server.stop() }
        await #expect(throws: ClientError.connectionLost) {
            try await DaemonClient(socket: server.path).send(MessageDraft(content: "hi"), to: "a") { _ in }
        }
    }

    @Test func modelsAreNamedAsTheDaemonNamesThem() async throws {
        let server = try SocketServer { $0.answer(#"{"id":"Tiny.Q8_0","object":"model"}"#) }
        defer { server.stop() }
        #expect(try await DaemonClient(socket: server.path).model("tiny") == "Tiny.Q8_0")
        #expect(server.requests.map(\.target) == ["/v1/models/tiny"])
    }

    @Test func modelPathsAreMadeAbsolute() async throws {
        let server = try SocketServer { $0.answer(#"{"id":"x","object":"model"}"#) }
        defer { server.stop() }
        let path = try await DaemonClient(socket: server.path).model("/tmp/../tmp/.")
        #expect(path == "/tmp")
        #expect(server.requests.map(\.target) == ["/v1/models/%2Ftmp"])
        await #expect(throws: ClientError.self) {
            try await DaemonClient(socket: server.path).model("./no-such-model.gguf")
        }
        #expect(server.requests.count == 1)
    }

    @Test func cancellingClosesTheConnection() async throws {
        let (started, closed) = (Signal(), Signal())
        let server = try SocketServer { connection in
            connection.beginStream()
            connection.event("token", #"{"text":"a"}"#)
            connection.waitForClose()
            closed.fire()
        }
        defer { server.stop() }
        let client = DaemonClient(socket: server.path)
        let task = Task {
            try await client.send(MessageDraft(content: "hi"), to: "a") { _ in started.fire() }
        }
        await started.wait()
        task.cancel()
        await #expect(throws: ClientError.cancelled) { try await task.value }
        await closed.wait()
    }
}
