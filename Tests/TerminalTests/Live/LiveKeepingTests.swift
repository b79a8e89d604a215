import AssistantAPI
import Foundation
import ImageCodecs
import Testing

@testable import Terminal

/// What Enter keeps, and what becomes of the keys meanwhile.
@Suite(.timeLimit(.minutes(1))) struct LiveKeepingTests {
    @Test func keysTypedWhileAPictureIsKeptComeAfterwards() async throws {
        let (log, folder) = (Log(), try TemporaryFolder())
        let (asked, answer) = (Signal(), DispatchSemaphore(value: 0))
        let canvas = try CanvasServer(
            follow: { connection, _ in connection.waitForClose() },
            other: { connection in
                guard connection.request.target.hasSuffix("/commit") else { return false }
                asked.fire()
                answer.wait()
                return false
            })
        defer { canvas.stop() }
        let session = try LiveSession.testing(canvas, log, folder)
        let end = Task { await session.run() }
        session.press("a fox\r")
        await asked.wait()
        session.press("hen")
        answer.signal()
        await log.wait(for: "hen")
        session.press("\u{03}")
        await end.value
        #expect(folder.names == ["a-fox-7.png"])
        // Before the name was told, none of the later keys was on the screen.
        let early = log.text.split(separator: "a-fox-7.png").first ?? ""
        #expect(!early.contains("hen"))
    }

    /// A daemon that tells of each text, and does with a commit what a test says.
    private func committing(
        _ typed: Log = Log(), _ commit: @escaping @Sendable (SocketServer.Connection) -> Bool
    ) throws -> CanvasServer {
        try CanvasServer(
            follow: { connection, _ in connection.waitForClose() }, type: { typed.add("<\($0.text)>") },
            other: { connection in
                connection.request.target.hasSuffix("/commit") ? commit(connection) : false
            })
    }

    @Test func controlCStopsTheKeepingAndGivesTheTextBack() async throws {
        let (log, folder) = (Log(), try TemporaryFolder())
        let (asked, closed, typed) = (Signal(), Signal(), Log())
        let canvas = try committing(typed) { connection in
            asked.fire()
            connection.waitForClose()
            closed.fire()
            return true
        }
        defer { canvas.stop() }
        let session = try LiveSession.testing(canvas, log, folder)
        let end = Task { await session.run() }
        session.press("a fox\r")
        await asked.wait()
        // What was typed for the next picture is forgotten: it neither keeps nor leaves anything.
        session.press("hen\r\u{04}\u{03}")
        await closed.wait()
        session.press("es")
        await typed.wait(for: "<a foxes>")
        session.press("\u{03}")
        await end.value
        #expect(folder.names.isEmpty)
        #expect(!typed.text.contains("hen"))
        #expect(canvas.server.requests.filter { $0.target.hasSuffix("/commit") }.count == 1)
    }

    @Test func keysThatWaitedForAFailedKeepingAreForgotten() async throws {
        let (log, folder) = (Log(), try TemporaryFolder())
        let (asked, answer, typed) = (Signal(), DispatchSemaphore(value: 0), Log())
        let canvas = try committing(typed) { connection in
            asked.fire()
            answer.wait()
            connection.answer(#"{"error":{"message":"no room on the disk"}}"#, status: "507 Full")
            return true
        }
        defer { canvas.stop() }
        let session = try LiveSession.testing(canvas, log, folder)
        let end = Task { await session.run() }
        session.press("a fox\r")
        await asked.wait()
        session.press("hen\r\u{04}x")
        // Handled after those keys, so that they have waited when the answer comes.
        session.post.yield(.enriched(.failure(.failed("keys wait")), of: ""))
        await log.wait(for: "keys wait")
        answer.signal()
        await log.wait(for: "no room on the disk")
        session.press("es")
        await typed.wait(for: "<a foxes>")
        session.press("\u{03}")
        await end.value
        #expect(!typed.text.contains("hen"))
        #expect(canvas.server.requests.filter { $0.target.hasSuffix("/commit") }.count == 1)
    }

    @Test func controlDTwiceLeavesWhileAPictureIsKept() async throws {
        let (log, folder, asked) = (Log(), try TemporaryFolder(), Signal())
        let canvas = try committing { connection in
            asked.fire()
            connection.waitForClose()
            return true
        }
        defer { canvas.stop() }
        let session = try LiveSession.testing(canvas, log, folder)
        let end = Task { await session.run() }
        session.press("a fox\r")
        await asked.wait()
        session.press("\u{04}\u{04}")
        await end.value
        #expect(folder.names.isEmpty)
    }

    @Test func controlDOnceLeavesWhenThePictureIsKept() async throws {
        let (log, folder) = (Log(), try TemporaryFolder())
        let (asked, answer) = (Signal(), DispatchSemaphore(value: 0))
        let canvas = try committing { _ in
            asked.fire()
            answer.wait()
            return false
        }
        defer { canvas.stop() }
        let session = try LiveSession.testing(canvas, log, folder)
        let end = Task { await session.run() }
        session.press("a fox\r")
        await asked.wait()
        session.press("\u{04}")
        answer.signal()
        await end.value
        #expect(folder.names == ["a-fox-7.png"])
    }

    @Test func whatComesOfAKeepingThatWasGivenUpEndsNoOther() async throws {
        let (log, folder) = (Log(), try TemporaryFolder())
        let (asked, answer) = (Log(), DispatchSemaphore(value: 0))
        let canvas = try committing { connection in
            asked.add("commit ")
            if asked.text == "commit " {
                connection.waitForClose()
                return true
            }
            answer.wait()
            return false
        }
        defer { canvas.stop() }
        let session = try LiveSession.testing(canvas, log, folder)
        let end = Task { await session.run() }
        session.press("a fox\r")
        await asked.wait(for: "commit ")
        session.press("\u{03}\r")
        await asked.wait(for: "commit commit ")
        // The first one's end comes when the second is under way.
        session.post.yield(.kept(.failure(.failed("too late")), keeping: 1))
        session.press("hen")
        answer.signal()
        await log.wait(for: "hen")
        session.press("\u{03}")
        await end.value
        #expect(!log.text.contains("too late"))
        #expect(folder.names == ["a-fox-7.png"])
    }

    @Test func theKeptPictureIsWhatRemainsOnTheScreen() async throws {
        let (log, folder) = (Log(), try TemporaryFolder())
        let kept = try PNG.encode(.painted(4, 4) { _, _ in (1, 2, 250) })
        guard case .frame(let draft) = CanvasServer.frame(1, revision: 1) else { preconditionFailure() }
        // A daemon that never shows more than a draft.
        let canvas = try CanvasServer(
            follow: { connection, _ in
                connection.event(.canvas(CanvasServer.canvas()), id: 1)
                connection.event(.frame(draft), id: 2)
                connection.waitForClose()
            },
            other: { connection in
                guard connection.request.target.hasSuffix("/pictures/p1") else { return false }
                connection.answer(file: kept)
                return true
            })
        defer { canvas.stop() }
        let session = try LiveSession.testing(canvas, log, folder, text: "a fox", graphics: .kitty)
        let end = Task { await session.run() }
        await log.wait(for: draft.data.base64EncodedString())
        session.press("\r")
        await log.wait(for: "a-fox-7.png")
        session.press("\u{03}")
        await end.value
        #expect(folder.read("a-fox-7.png") == kept)
        let parts = log.text.split(separator: Data(kept).base64EncodedString())
        #expect(parts.count == 2)
        #expect(parts.first?.contains("a-fox-7.png") == false)
        #expect(parts.last?.contains(draft.data.base64EncodedString()) == false)
    }
}
