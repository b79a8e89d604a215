import AssistantAPI
import Foundation
import Synchronization
import Testing

@testable import Terminal

@Suite(.timeLimit(.minutes(1))) struct LiveSessionTests {
    @Test func thePictureFollowsTheWordsAndEnterKeepsIt() async throws {
        let (canvas, log, folder) = (try CanvasServer.painting(), Log(), try TemporaryFolder())
        defer { canvas.stop() }
        let session = try LiveSession.testing(canvas, log, folder)
        let end = Task { await session.run() }
        session.press("a fox")
        await log.wait(for: "settled  ")
        session.press("\r")
        await log.wait(for: "a-fox-7.png")
        session.press("\u{04}")
        await end.value
        #expect(folder.names == ["a-fox-7.png"])
        #expect(folder.read("a-fox-7.png") == Array("FILE".utf8))
        #expect(canvas.texts.contains("a fox"))
        #expect(log.text.contains("\(folder.path)/a-fox-7.png  64×48  1.2 kB  seed 7  0.00 s\n"))
        #expect(log.text.contains("\u{2580}"))
        // The canvas is closed in the end, and the cursor is left visible and below everything.
        #expect(canvas.server.requests.last?.method == "DELETE")
        #expect(log.text.hasSuffix("\r\n"))
    }

    @Test func aTextToBeginWithIsPaintedAtOnce() async throws {
        let (canvas, log, folder) = (try CanvasServer.painting(), Log(), try TemporaryFolder())
        defer { canvas.stop() }
        let session = try LiveSession.testing(canvas, log, folder, text: "a hen", graphics: .kitty)
        let end = Task { await session.run() }
        await log.wait(for: "\u{1B}_Ga=T,f=100,t=d,i=")
        session.press("\u{03}")
        await end.value
        #expect(canvas.texts.first == "a hen")
        #expect(folder.names.isEmpty)
    }

    @Test func framesOfAllStagesTakeTheSamePlaceUnderOneNumber() async throws {
        let (canvas, log, folder) = (try CanvasServer.painting(), Log(), try TemporaryFolder())
        defer { canvas.stop() }
        let session = try LiveSession.testing(canvas, log, folder, text: "a hen", graphics: .kitty)
        let end = Task { await session.run() }
        await log.wait(for: "settled  ")
        session.press("s")
        await log.wait(for: "a=T,f=100,t=d,", after: "settled  ")
        session.press("\u{03}")
        await end.value
        let places = Set(parts(of: log.text, from: "a=T,f=100,t=d,", to: ",q=2"))
        #expect(places.count == 1)
    }

    @Test func aTextThatWasKeptIsShownWhenItIsTypedAgain() async throws {
        let (canvas, log, folder) = (try CanvasServer.painting(), Log(), try TemporaryFolder())
        defer { canvas.stop() }
        let session = try LiveSession.testing(canvas, log, folder)
        let end = Task { await session.run() }
        session.press("a fox")
        await log.wait(for: "settled  ")
        session.press("\r")
        await log.wait(for: "a-fox-7.png")
        session.press("\u{1B}[A")
        await log.wait(for: "\u{2580}", after: "a-fox-7.png")
        session.press("\u{03}")
        await end.value
    }

    @Test func tabTakesTheNextSeedAndOnlyTheNewestIsSent() async throws {
        let (log, patched, typed, folder) = (Log(), Log(), Log(), try TemporaryFolder())
        let answer = DispatchSemaphore(value: 0)
        let canvas = try CanvasServer(
            follow: { connection, _ in
                connection.event(.canvas(CanvasServer.canvas()), id: 1)
                connection.waitForClose()
            }, type: { typed.add("<\($0.text)>") },
            other: { connection in
                guard connection.request.method == "PATCH" else { return false }
                patched.add(connection.request.body)
                answer.wait()
                return false
            })
        defer { canvas.stop() }
        let session = try LiveSession.testing(canvas, log, folder)
        let end = Task { await session.run() }
        await log.wait(for: "type what to paint")
        session.press("\t")
        await patched.wait(for: #"{"seed":1}"#)
        session.press("\t\t\t\u{1B}[Zx")
        // Whatever was pressed before it was taken in.
        await typed.wait(for: "<x>")
        for _ in 0..<2 { answer.signal() }
        await patched.wait(for: #"{"seed":3}"#)
        session.press("\u{03}")
        await end.value
        #expect(patched.text == #"{"seed":1}{"seed":3}"#)
    }

    /// A daemon whose canvas has a settled frame for each of three texts, and which tells what is kept.
    ///
    /// Before it tells of its frames, it does what `fetch` does.
    private func remembering(
        _ committed: Log, fetch: @escaping @Sendable () -> Void = {}
    ) throws -> CanvasServer {
        let entries = ["a", "a fox", "a hen"].enumerated().map { index, text in
            var recipe = CanvasServer.picture.recipe
            recipe.prompt = text
            return CanvasTimeline.Entry(
                number: index + 1, revision: index + 1, stage: .settled, frame: FrameRecipe(recipe: recipe),
                shownAt: CanvasServer.date)
        }
        return try CanvasServer(
            follow: { connection, _ in
                connection.event(.canvas(CanvasServer.canvas()), id: 1)
                connection.event(CanvasServer.frame(3, revision: 1, .settled), id: 2)
                connection.waitForClose()
            },
            other: { connection in
                let target = connection.request.target
                if target.hasSuffix("/commit") { committed.add(connection.request.body) }
                if target.hasSuffix("/frames") {
                    fetch()
                    connection.answer(CanvasServer.text(CanvasTimeline(frames: entries)))
                } else if target.hasSuffix("/frames/2") {
                    connection.answer("FRAME")
                } else {
                    return false
                }
                return true
            })
    }

    /// A session that shows the second of the three frames, and its end.
    private func lookingBack(
        _ canvas: CanvasServer, _ log: Log, _ folder: TemporaryFolder
    ) async throws -> (session: LiveSession, end: Task<Void, Never>) {
        let session = try LiveSession.testing(canvas, log, folder, text: "a hen")
        let end = Task { await session.run() }
        await log.wait(for: "settled  ")
        session.press("\u{1B}[5~")
        await log.wait(for: "frame 2 of 3")
        return (session, end)
    }

    @Test func pageUpLooksBackAndEnterKeepsThatFrame() async throws {
        let (log, committed, folder) = (Log(), Log(), try TemporaryFolder())
        let canvas = try remembering(committed)
        defer { canvas.stop() }
        let (session, end) = try await lookingBack(canvas, log, folder)
        session.press("\r")
        await committed.wait(for: #"{"frame":2}"#)
        await log.wait(for: "a-fox-7.png")
        session.press("\u{03}")
        await end.value
        #expect(folder.names == ["a-fox-7.png"])
        // What was typed stays in the line.
        #expect(canvas.texts.allSatisfy { $0 == "a hen" })
    }

    @Test func enterKeepsTheEarlierFrameThatIsStillOnItsWay() async throws {
        let (log, committed, folder) = (Log(), Log(), try TemporaryFolder())
        let (asked, answer) = (Signal(), DispatchSemaphore(value: 0))
        let canvas = try remembering(committed) {
            asked.fire()
            answer.wait()
        }
        defer { canvas.stop() }
        let session = try LiveSession.testing(canvas, log, folder, text: "a hen")
        let end = Task { await session.run() }
        await log.wait(for: "settled  ")
        session.press("\u{1B}[5~\r")
        await asked.wait()
        await log.wait(for: "looking back  ")
        answer.signal()
        await committed.wait(for: #"{"frame":2}"#)
        await log.wait(for: "a-fox-7.png")
        session.press("\u{03}")
        await end.value
        #expect(committed.text == #"{"frame":2}"#)
    }

    @Test func escapeTakesBackAnEnterThatWaitsForAnEarlierFrame() async throws {
        let (log, committed, folder) = (Log(), Log(), try TemporaryFolder())
        let (asked, answer) = (Signal(), DispatchSemaphore(value: 0))
        let canvas = try remembering(committed) {
            asked.fire()
            answer.wait()
        }
        defer { canvas.stop() }
        let session = try LiveSession.testing(canvas, log, folder, text: "a hen")
        let end = Task { await session.run() }
        await log.wait(for: "settled  ")
        session.press("\u{1B}[5~\r")
        await asked.wait()
        session.press("x\u{1B}")
        answer.signal()
        session.press("s\r")
        await log.wait(for: "a-fox-7.png")
        session.press("\u{03}")
        await end.value
        #expect(committed.text == "{}")
        #expect(canvas.texts.contains("a hens") && !canvas.texts.contains { $0.contains("x") })
    }

    @Test func escapeLeavesTheEarlierFrame() async throws {
        let (log, committed, folder) = (Log(), Log(), try TemporaryFolder())
        let canvas = try remembering(committed)
        defer { canvas.stop() }
        let (session, end) = try await lookingBack(canvas, log, folder)
        session.press("\u{1B}")
        session.press("\r")
        await log.wait(for: "a-fox-7.png")
        session.press("\u{03}")
        await end.value
        #expect(committed.text == "{}")
    }

    @Test func altEPutsMoreWordsIntoTheLineAndUndoTakesThemBack() async throws {
        let (log, typed, asked, folder) = (Log(), Log(), Log(), try TemporaryFolder())
        let canvas = try CanvasServer(
            follow: { connection, _ in connection.waitForClose() }, type: { typed.add("<\($0.text)>") },
            other: { connection in
                guard connection.request.target.hasSuffix("/prompts/enriched") else { return false }
                asked.add(connection.request.body)
                connection.answer(#"{"text":"a fox, in the \u0007snow"}"#)
                return true
            })
        defer { canvas.stop() }
        let session = try LiveSession.testing(canvas, log, folder, text: "a fox")
        let end = Task { await session.run() }
        await typed.wait(for: "<a fox>")
        session.press("\u{1B}e")
        await typed.wait(for: "<a fox, in the snow>")
        #expect(asked.text == #"{"text":"a fox"}"#)
        session.press("\u{1F}")
        await typed.wait(for: "snow><a fox>")
        session.press("\u{03}")
        await end.value
    }

    @Test func linesOfAPipeAreAPictureEach() async throws {
        let (log, folder) = (Log(), try TemporaryFolder())
        let canvas = try CanvasServer(follow: { connection, _ in connection.waitForClose() })
        defer { canvas.stop() }
        let options = try LiveOptions(prompt: "one", target: .folder(folder.path))
        let output = TerminalOutput(
            isTerminal: false, usesColor: false, measure: { LiveSession.testSize }, sink: { log.add($0) })
        let lines = AsyncStream<String> { continuation in
            for line in ["two", "  "] { continuation.yield(line) }
            continuation.finish()
        }
        try await LiveLines(
            client: canvas.client, options: options, output: output, reconnect: {}, isRead: false
        ).run(lines)
        #expect(canvas.texts == ["one", "two"])
        #expect(log.text == "\(folder.path)/a-fox-7.png\n\(folder.path)/a-fox-7-2.png\n")
    }

    @Test func aPipeIsToldThatThereIsNoCanvasToBeHad() async throws {
        let (log, folder) = (Log(), try TemporaryFolder())
        let canvas = try CanvasServer(
            follow: { _, _ in },
            other: { connection in
                let error = #"{"error":{"message":"all canvases are in use"}}"#
                connection.answer(error, status: "503 Service Unavailable")
                return true
            })
        defer { canvas.stop() }
        let options = try LiveOptions(prompt: "one", target: .folder(folder.path))
        let output = TerminalOutput(
            isTerminal: false, usesColor: false, measure: { LiveSession.testSize }, sink: { log.add($0) })
        let live = LiveLines(
            client: canvas.client, options: options, output: output, reconnect: {}, isRead: false,
            sleep: { _ in await Task.yield() })
        await #expect(throws: ClientError.refused(status: 503, code: nil, message: "all canvases are in use"))
        {
            try await live.run(AsyncStream<String> { $0.finish() })
        }
        #expect(log.text.isEmpty)
    }
}
