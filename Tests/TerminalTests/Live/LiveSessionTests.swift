import AssistantAPI
import Foundation
import Synchronization
import Testing

@testable import Terminal

@Suite(.timeLimit(.minutes(1))) struct LiveSessionTests {
    private static let size = TerminalOutput.Size(columns: 60, rows: 20)

    private func session(
        _ canvas: CanvasServer, _ log: Log, _ folder: TemporaryFolder, text: String = "",
        graphics: GraphicsProtocol? = .blocks
    ) throws -> LiveSession {
        let options = try LiveOptions(prompt: text, target: .folder(folder.path))
        return LiveSession(
            client: canvas.client, options: options,
            surroundings: .init(
                output: TerminalOutput(
                    isTerminal: true, usesColor: false, measure: { Self.size }, sink: { log.add($0) }),
                display: graphics.map { FrameDisplay(TerminalGraphics(graphics: $0)) }, reconnect: {},
                suspend: {}, elapsed: { .zero }))
    }

    private func press(_ keys: String, _ session: LiveSession) {
        var parser = KeyParser()
        for key in parser.parse(keys.utf8) + parser.flush() { session.post.yield(.key(key)) }
    }

    /// A daemon that answers each text with a draft and a settled frame.
    private func painting() throws -> CanvasServer {
        let (texts, text) = AsyncStream.makeStream(of: Canvas.Prompt.self)
        return try CanvasServer(
            follow: { connection, _ in
                connection.event(.canvas(CanvasServer.canvas()), id: 1)
                let done = DispatchSemaphore(value: 0)
                Task {
                    var number = 0
                    for await prompt in texts where !prompt.text.isEmpty {
                        for stage in [CanvasStage.Name.draft, .settled] {
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
            }, type: { text.yield($0) })
    }

    @Test func thePictureFollowsTheWordsAndEnterKeepsIt() async throws {
        let (canvas, log, folder) = (try painting(), Log(), try TemporaryFolder())
        defer { canvas.stop() }
        let session = try session(canvas, log, folder)
        let end = Task { await session.run() }
        press("a fox", session)
        await log.wait(for: "settled  ")
        press("\r", session)
        await log.wait(for: "a-fox-7.png")
        press("\u{04}", session)
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
        let (canvas, log, folder) = (try painting(), Log(), try TemporaryFolder())
        defer { canvas.stop() }
        let session = try session(canvas, log, folder, text: "a hen", graphics: .kitty)
        let end = Task { await session.run() }
        await log.wait(for: "\u{1B}_Ga=T,f=100,t=d,i=")
        press("\u{03}", session)
        await end.value
        #expect(canvas.texts.first == "a hen")
        #expect(folder.names.isEmpty)
    }

    @Test func framesOfAllStagesTakeTheSamePlaceUnderOneNumber() async throws {
        let (canvas, log, folder) = (try painting(), Log(), try TemporaryFolder())
        defer { canvas.stop() }
        let session = try session(canvas, log, folder, text: "a hen", graphics: .kitty)
        let end = Task { await session.run() }
        await log.wait(for: "settled  ")
        press("s", session)
        await log.wait(for: "4 frames")
        press("\u{03}", session)
        await end.value
        let places = Set(parts(of: log.text, from: "a=T,f=100,t=d,", to: ",q=2"))
        #expect(places.count == 1)
    }

    @Test func tabTakesTheNextSeed() async throws {
        let patched = Log()
        let (log, folder) = (Log(), try TemporaryFolder())
        let canvas = try CanvasServer(
            follow: { connection, _ in connection.waitForClose() },
            other: { connection in
                if connection.request.method == "PATCH" { patched.add(connection.request.body) }
                return false
            })
        defer { canvas.stop() }
        let session = try session(canvas, log, folder)
        let end = Task { await session.run() }
        press("\t", session)
        await patched.wait(for: #"{"seed":1}"#)
        press("\u{03}", session)
        await end.value
    }

    /// A daemon whose canvas has a settled frame for each of three texts, and which tells what is kept.
    private func remembering(_ committed: Log) throws -> CanvasServer {
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
        let session = try session(canvas, log, folder, text: "a hen")
        let end = Task { await session.run() }
        await log.wait(for: "settled  ")
        press("\u{1B}[5~", session)
        await log.wait(for: "frame 2 of 3")
        return (session, end)
    }

    @Test func pageUpLooksBackAndEnterKeepsThatFrame() async throws {
        let (log, committed, folder) = (Log(), Log(), try TemporaryFolder())
        let canvas = try remembering(committed)
        defer { canvas.stop() }
        let (session, end) = try await lookingBack(canvas, log, folder)
        press("\r", session)
        await committed.wait(for: #"{"frame":2}"#)
        await log.wait(for: "a-fox-7.png")
        press("\u{03}", session)
        await end.value
        #expect(folder.names == ["a-fox-7.png"])
        // What was typed stays in the line.
        #expect(canvas.texts.allSatisfy { $0 == "a hen" })
    }

    @Test func escapeLeavesTheEarlierFrame() async throws {
        let (log, committed, folder) = (Log(), Log(), try TemporaryFolder())
        let canvas = try remembering(committed)
        defer { canvas.stop() }
        let (session, end) = try await lookingBack(canvas, log, folder)
        press("\u{1B}", session)
        press("\r", session)
        await log.wait(for: "a-fox-7.png")
        press("\u{03}", session)
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
        let session = try session(canvas, log, folder, text: "a fox")
        let end = Task { await session.run() }
        await typed.wait(for: "<a fox>")
        press("\u{1B}e", session)
        await typed.wait(for: "<a fox, in the snow>")
        #expect(asked.text == #"{"text":"a fox"}"#)
        press("\u{1F}", session)
        await typed.wait(for: "snow><a fox>")
        press("\u{03}", session)
        await end.value
    }

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
        let session = try session(canvas, log, folder)
        let end = Task { await session.run() }
        press("a fox\r", session)
        await asked.wait()
        press("hen", session)
        answer.signal()
        await log.wait(for: "hen")
        press("\u{03}", session)
        await end.value
        #expect(folder.names == ["a-fox-7.png"])
        // Before the name was told, none of the later keys was on the screen.
        let early = log.text.split(separator: "a-fox-7.png").first ?? ""
        #expect(!early.contains("hen"))
    }

    @Test func controlCStopsTheKeepingAndGivesTheTextBack() async throws {
        let (log, folder) = (Log(), try TemporaryFolder())
        let (asked, closed, typed) = (Signal(), Signal(), Log())
        let canvas = try CanvasServer(
            follow: { connection, _ in connection.waitForClose() }, type: { typed.add("<\($0.text)>") },
            other: { connection in
                guard connection.request.target.hasSuffix("/commit") else { return false }
                asked.fire()
                connection.waitForClose()
                closed.fire()
                return true
            })
        defer { canvas.stop() }
        let session = try session(canvas, log, folder)
        let end = Task { await session.run() }
        press("a fox\r", session)
        await asked.wait()
        press("\u{03}", session)
        await closed.wait()
        press("es", session)
        await typed.wait(for: "<a foxes>")
        press("\u{03}", session)
        await end.value
        #expect(folder.names.isEmpty)
    }

    @Test func linesOfAPipeAreAPictureEach() async throws {
        let (log, folder) = (Log(), try TemporaryFolder())
        let canvas = try CanvasServer(follow: { connection, _ in connection.waitForClose() })
        defer { canvas.stop() }
        let options = try LiveOptions(prompt: "one", target: .folder(folder.path))
        let output = TerminalOutput(
            isTerminal: false, usesColor: false, measure: { Self.size }, sink: { log.add($0) })
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
}
