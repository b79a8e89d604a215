import Glibc
import NIOCore
import Settings
import Testing

@testable import Server

struct ConnectionTests {
    /// As many as the engine works on at the same time.
    private static let engineRoom = 4

    private static func endlessCompletion(stream: Bool) -> String {
        let body = #"{"prompt":"a","max_tokens":10000000,"stream":\#(stream),"logit_bias":\#(endless)}"#
        return TestConnection.text("POST", "/v1/completions", body: body)
    }

    /// Keeps the engine busy with answers that don't end; what comes next waits until one has stopped.
    private static func fillEngine(_ daemon: RunningDaemon) async throws -> [TestConnection] {
        let connections = try (0..<engineRoom).map { _ in try daemon.connect() }
        for connection in connections {
            try connection.send(endlessCompletion(stream: true))
            try await connection.read(until: "data: ")
        }
        return connections
    }

    private static func expectEngineIsFree(_ daemon: RunningDaemon) async throws {
        let answer = try await daemon.post("/v1/completions", #"{"prompt":"b","max_tokens":1}"#)
        #expect(answer.status == 200)
    }

    @Test func clientsThatLeaveTheirStreamsStopTheirWork() async throws {
        try await RunningDaemon.run(contextLength: RunningDaemon.endlessContext) { daemon in
            for connection in try await Self.fillEngine(daemon) { connection.close() }
            try await Self.expectEngineIsFree(daemon)
        }
    }

    @Test func clientsThatLeaveBeforeTheirAnswerStopTheirWork() async throws {
        let timing = StreamTiming(patience: .milliseconds(20))
        try await RunningDaemon.run(contextLength: RunningDaemon.endlessContext, timing: timing) { daemon in
            let connections = try (0..<Self.engineRoom).map { _ in try daemon.connect() }
            for connection in connections { try connection.send(Self.endlessCompletion(stream: false)) }
            // The others fill the engine, so this one waits; its head shows that all have been read.
            let last = try daemon.connect()
            try last.send(Self.endlessCompletion(stream: true))
            try await last.read(until: "event-stream")
            for connection in connections { connection.close() }
            try await last.read(until: "data: ")
            try await Self.expectEngineIsFree(daemon)
        }
    }

    @Test func clientsThatHangUpHalfStopTheirWork() async throws {
        try await RunningDaemon.run(contextLength: RunningDaemon.endlessContext) { daemon in
            let connections = try await Self.fillEngine(daemon)
            for connection in connections { connection.closeWriting() }
            try await Self.expectEngineIsFree(daemon)
        }
    }

    @Test func halfClosedClientStillGetsAShortAnswer() async throws {
        try await RunningDaemon.run { daemon in
            let connection = try daemon.connect()
            try connection.send(TestConnection.text("GET", "/health"))
            connection.closeWriting()
            #expect(try await connection.response().status == 200)
        }
    }

    @Test func healthAnswersWhileTheEngineWorks() async throws {
        try await RunningDaemon.run(contextLength: RunningDaemon.endlessContext) { daemon in
            let busy = try daemon.connect()
            try busy.send(Self.endlessCompletion(stream: true))
            try await busy.read(until: "data: ")
            let connection = try daemon.connect()
            var times: [Duration] = []
            for _ in 0..<10 {
                let start = ContinuousClock.now
                #expect(try await connection.request("GET", "/health").status == 200)
                times.append(ContinuousClock.now - start)
            }
            // The best of ten, as the machine that tests run on may be busy itself.
            #expect(times.min() ?? .seconds(1) < .milliseconds(50))
        }
    }

    @Test func fullQueueAnswers503WithRetryAfter() async throws {
        let one: (inout Configuration) -> Void = { $0.server.queueDepth = 1 }
        let timing = StreamTiming(patience: .milliseconds(20), pingInterval: .milliseconds(20))
        try await RunningDaemon.run(
            contextLength: RunningDaemon.endlessContext, timing: timing, configure: one
        ) { daemon in
            let running = try await Self.fillEngine(daemon)
            let waiting = try daemon.connect()
            try waiting.send(Self.endlessCompletion(stream: true))
            // While it waits its stream says so.
            try await waiting.read(until: ": ping")
            for stream in ["true", "false"] {
                let refused = try await daemon.post("/v1/completions", #"{"prompt":"b","stream":\#(stream)}"#)
                #expect(refused.status == 503)
                #expect(refused.headers["retry-after"] != nil)
                #expect(try refused.error().code == "queue_full")
            }
            withExtendedLifetime(running) {}
        }
    }

    @Test func oneConnectionServesManyRequests() async throws {
        try await RunningDaemon.run { daemon in
            let connection = try daemon.connect()
            let body = #"{"prompt":"a","max_tokens":2}"#
            for _ in 0..<3 {
                #expect(try await connection.request("GET", "/health").status == 200)
                #expect(try await connection.request("POST", "/v1/completions", body: body).status == 200)
            }
            try connection.send(
                TestConnection.text("GET", "/health") + TestConnection.text("GET", "/v1/models"))
            #expect(try await connection.response().json()["status"] == "ok")
            #expect(try await connection.response().json()["object"] == "list")
        }
    }

    @Test func otherUsersAreClosedUnread() async throws {
        try await RunningDaemon.run(allowedUser: geteuid() + 1) { daemon in
            let connection = try daemon.connect()
            try connection.send(TestConnection.text("GET", "/health"))
            #expect(try await connection.readToEnd() == "")
        }
    }

    @Test func slowHeadersLoseTheirConnection() async throws {
        var limits = ConnectionLimits()
        limits.header = .milliseconds(50)
        try await RunningDaemon.run(limits: limits) { daemon in
            let slow = try daemon.connect()
            try slow.send("GET /health HTTP/1.1\r\nHost:")
            #expect(try await slow.readToEnd() == "")
        }
    }

    @Test func idleConnectionsAreClosedInTheEnd() async throws {
        var limits = ConnectionLimits()
        limits.keepAlive = .milliseconds(50)
        try await RunningDaemon.run(limits: limits) { daemon in
            let unused = try daemon.connect()
            #expect(try await unused.readToEnd() == "")
            let used = try daemon.connect()
            #expect(try await used.request("GET", "/health").status == 200)
            #expect(try await used.readToEnd() == "")
        }
    }

    @Test func readerThatTakesNothingLosesItsConnectionAndItsWork() async throws {
        var limits = ConnectionLimits()
        limits.writeStall = .milliseconds(50)
        try await RunningDaemon.run(contextLength: RunningDaemon.endlessContext, limits: limits) { daemon in
            // They read no more, so that the sockets' buffers fill.
            let connections = try await Self.fillEngine(daemon)
            try await Self.expectEngineIsFree(daemon)
            withExtendedLifetime(connections) {}
        }
    }

    @Test func largeHeadersAreRefused() async throws {
        try await RunningDaemon.run { daemon in
            let large = ["X-Large": String(repeating: "x", count: 20_000)]
            let many = Dictionary(uniqueKeysWithValues: (0..<100).map { ("X-\($0)", "y") })
            for headers in [large, many] {
                let response = try await daemon.request("GET", "/health", headers: headers)
                #expect(response.status == 431 || response.status == 400)
                #expect(try response.error().message.isEmpty == false)
            }
        }
    }

    private static let malformedRequests = [
        "GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
        "POST /tokenize HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello",
        "POST /tokenize HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
        "POST /tokenize HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "POST /tokenize HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        "POST /tokenize HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\nx",
        "POST /tokenize HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx",
        "GET /health HTTP/1.1\r\nHost: a\r\nX: \u{0}\r\n\r\n", "GET /health HTTP/9.9\r\nHost: a\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "hello\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}", "GET\r\n\r\n",
    ]

    @Test func malformedRequestsAreRefusedAndHarmNobody() async throws {
        try await RunningDaemon.run { daemon in
            for text in Self.malformedRequests {
                let connection = try daemon.connect()
                try connection.send(text)
                connection.closeWriting()
                let answer = try await connection.readToEnd()
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(text): \(answer)")
                #expect(try await daemon.get("/health").status == 200)
            }
        }
    }

    @Test func answersThatOutliveTheGraceAreCutOff() async throws {
        try await RunningDaemon.run(
            contextLength: RunningDaemon.endlessContext,
            configure: { $0.server.shutdownGrace = .milliseconds(50) }
        ) { daemon in
            let connection = try daemon.connect()
            try connection.send(Self.endlessCompletion(stream: true))
            try await connection.read(until: "data: ")
            _ = try await daemon.post("/inkling/v1/shutdown", "{}")
            try await daemon.ended()
            #expect(try await connection.readToEnd().hasSuffix("data: [DONE]\n\n") == false)
        }
    }
}
