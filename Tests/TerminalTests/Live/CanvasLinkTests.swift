import AssistantAPI
import Foundation
import Synchronization
import Testing

@testable import Terminal

@Suite(.timeLimit(.minutes(1))) struct CanvasLinkTests {
    private func link(_ canvas: CanvasServer, _ log: Log) -> CanvasLink {
        CanvasLink(
            client: canvas.client, draft: CanvasDraft(), reconnect: { log.add("reconnect ") },
            sleep: { _ in await Task.yield() },
            receive: { event in
                switch event {
                case .canvas(.frame(let frame)): log.add("frame \(frame.number) ")
                case .canvas(let event): log.add("\(event.name) ")
                case .lost(.refused(_, _, let message)): log.add("lost (\(message)) ")
                case .lost: log.add("lost ")
                case .refused(let error): log.add("refused \(error) ")
                }
            })
    }

    private func prompt(_ text: String, _ revision: Int) -> Canvas.Prompt {
        Canvas.Prompt(text: text, revision: revision)
    }

    @Test func olderTextsThatWereNotSentAreDropped() async throws {
        let (busy, typed) = (DispatchSemaphore(value: 0), Log())
        let canvas = try CanvasServer(
            follow: { connection, _ in connection.waitForClose() },
            type: { prompt in
                typed.add("<\(prompt.text)>")
                if prompt.text == "a" { busy.wait() }
            })
        defer { canvas.stop() }
        let link = link(canvas, Log())
        await link.start()
        link.type(prompt("a", 1))
        await typed.wait(for: "<a>")
        for (index, text) in ["ab", "abc", "abcd"].enumerated() { link.type(prompt(text, index + 2)) }
        busy.signal()
        await typed.wait(for: "<abcd>")
        #expect(canvas.texts == ["a", "abcd"])
        await link.close()
        #expect(canvas.server.requests.last?.method == "DELETE")
    }

    @Test func aLostStreamGoesOnBehindTheLastEvent() async throws {
        let canvas = try CanvasServer(follow: { connection, stream in
            if stream == 1 {
                connection.event(CanvasServer.frame(1, revision: 1), id: 41)
            } else {
                connection.event(CanvasServer.frame(2, revision: 1), id: 42)
                connection.waitForClose()
            }
        })
        defer { canvas.stop() }
        let log = Log()
        let link = link(canvas, log)
        await link.start()
        await log.wait(for: "frame 2")
        #expect(log.text == "frame 1 lost frame 2 ")
        let streams = canvas.server.requests.filter { $0.target.hasSuffix("/events") }
        #expect(streams.map(\.lastEventID) == [nil, "41"])
        #expect(canvas.opened == 1)
        await link.close()
    }

    @Test func aDaemonThatForgotTheCanvasGetsItAndTheTextAgain() async throws {
        let typed = Log()
        let canvas = try CanvasServer(
            follow: { connection, _ in
                connection.event(CanvasServer.frame(1, revision: 1), id: 1)
                connection.waitForClose()
            }, type: { typed.add("<\($0.text)>") },
            other: { connection in
                let request = connection.request
                guard request.target.hasSuffix("/canvases/v1/events") else { return false }
                // The first canvas is known until its text is there.
                let error = #"{"error":{"message":"there is no such canvas","code":"not_found"}}"#
                connection.answer(error, status: "404 Not Found")
                return true
            })
        defer { canvas.stop() }
        let log = Log()
        let link = link(canvas, log)
        await link.start()
        link.type(prompt("a fox", 1))
        await log.wait(for: "frame 1")
        await typed.wait(for: "<a fox>")
        #expect(canvas.opened == 2)
        let committed = try await link.commit(prompt("a fox", 1), CanvasCommit())
        #expect(committed.picture.id == "p1")
        #expect(canvas.texts.last == "a fox")
        await link.close()
    }

    @Test func aPictureIsKeptWithTheSeedThatIsWanted() async throws {
        let canvas = try CanvasServer(follow: { connection, _ in connection.waitForClose() })
        defer { canvas.stop() }
        let link = link(canvas, Log())
        await link.start()
        _ = try await link.commit(prompt("a", 1), CanvasCommit())
        link.take(seed: 3)
        _ = try await link.commit(prompt("a", 1), CanvasCommit())
        await link.close()
        let requests = canvas.server.requests.filter {
            $0.method == "PATCH" || $0.target.hasSuffix("/commit")
        }
        #expect(requests.map(\.method) == ["POST", "PATCH", "POST"])
        #expect(requests.dropFirst().first?.body == #"{"seed":3}"#)
    }

    @Test func aRefusalIsToldOnceAndEndsTheWaiting() async throws {
        let canvas = try CanvasServer(
            follow: { _, _ in },
            other: { connection in
                guard connection.request.target.hasSuffix("/canvases") else { return false }
                let error = #"{"error":{"message":"there is no picture model","code":"model_not_found"}}"#
                connection.answer(error, status: "404 Not Found")
                return true
            })
        defer { canvas.stop() }
        let log = Log()
        let link = link(canvas, log)
        await link.start()
        await #expect(throws: ClientError.self) { try await link.commit(prompt("a", 1), CanvasCommit()) }
        #expect(log.text == "refused there is no picture model ")
        await link.close()
    }

    /// A daemon whose canvases are all taken.
    private func full() throws -> CanvasServer {
        try CanvasServer(
            follow: { _, _ in },
            other: { connection in
                let error = #"{"error":{"message":"all canvases are in use","code":"queue_full"}}"#
                connection.answer(error, status: "503 Service Unavailable")
                return true
            })
    }

    @Test func aRefusalForNowIsToldInItsOwnWords() async throws {
        let canvas = try full()
        defer { canvas.stop() }
        let log = Log()
        let link = link(canvas, log)
        await link.start()
        await log.wait(for: "lost (all canvases are in use) lost (all canvases are in use) ")
        await link.close()
        #expect(!log.text.contains("reconnect"))
    }

    @Test func whoCannotGiveUpIsToldAfterSomeAttempts() async throws {
        let canvas = try full()
        defer { canvas.stop() }
        let log = Log()
        let link = CanvasLink(
            client: canvas.client, draft: CanvasDraft(), attemptLimit: 3, reconnect: {},
            sleep: { _ in log.add("pause ") }, receive: { _ in })
        await link.start()
        let refusal = ClientError.refused(
            status: 503, code: "queue_full", message: "all canvases are in use")
        await #expect(throws: refusal) { try await link.commit(prompt("a", 1), CanvasCommit()) }
        #expect(log.text == "pause pause ")
        await link.close()
    }

    @Test func whoCannotGiveUpIsToldAtOnceThatNoDaemonStarts() async throws {
        let failure = ClientError.daemonFailed(reason: "the disk is full", log: "log")
        let link = CanvasLink(
            client: DaemonClient(socket: "/nonexistent/socket"), draft: CanvasDraft(), attemptLimit: 3,
            reconnect: { throw failure }, sleep: { _ in await Task.yield() }, receive: { _ in })
        await link.start()
        await #expect(throws: failure) { try await link.commit(prompt("a", 1), CanvasCommit()) }
        await link.close()
    }

    @Test func whoWaitsForTheCanvasCanGiveUp() async throws {
        let log = Log()
        let link = CanvasLink(
            client: DaemonClient(socket: "/nonexistent/socket"), draft: CanvasDraft(), reconnect: {},
            sleep: { _ in await Task.yield() }, receive: { _ in log.add("lost ") })
        await link.start()
        await log.wait(for: "lost")
        let text = prompt("a", 1)
        let commit = Task { try await link.commit(text, CanvasCommit()) }
        commit.cancel()
        await #expect(throws: ClientError.cancelled) { try await commit.value }
        await link.close()
    }

    @Test func aLinkWithoutADaemonCanBeClosed() async throws {
        let log = Log()
        let link = CanvasLink(
            client: DaemonClient(socket: "/nonexistent/socket"), draft: CanvasDraft(), reconnect: {},
            sleep: { _ in await Task.yield() }, receive: { _ in log.add("lost ") })
        await link.start()
        link.type(prompt("a", 1))
        await log.wait(for: "lost")
        await link.close()
    }
}
