import AssistantAPI
import Foundation
import Synchronization
import Testing

@testable import Terminal

@Suite(.timeLimit(.minutes(1))) struct ImagineSessionTests {
    /// Everything that a session writes.
    private final class Recorder: Sendable {
        private struct Written {
            var output = ""
            var errors = ""
            var bytes: [UInt8] = []
        }

        private let written = Mutex(Written())
        var output: String { written.withLock { $0.output } }
        var errors: String { written.withLock { $0.errors } }
        var bytes: [UInt8] { written.withLock { $0.bytes } }

        func surroundings(isTerminal: Bool, display: PictureDisplay? = nil) -> ImagineSession.Surroundings {
            func stream(_ path: any WritableKeyPath<Written, String> & Sendable) -> TerminalOutput {
                TerminalOutput(
                    isTerminal: isTerminal, usesColor: false, measure: { .init(columns: 60, rows: 20) },
                    sink: { text in self.written.withLock { $0[keyPath: path] += text } })
            }
            return .init(
                output: stream(\.output), errors: stream(\.errors), isRead: isTerminal,
                writeBytes: { bytes in self.written.withLock { $0.bytes += bytes } }, display: display,
                elapsed: { .seconds(7) })
        }
    }

    private static func recipe(_ index: Int) -> Recipe {
        Recipe(
            model: "m", prompt: "a fox", width: 64, height: 48, steps: 4, seed: UInt64(42 + index),
            scheduler: "ddim", guidanceScale: 1, decoder: "full")
    }

    private static func started(_ index: Int) -> PictureEvent {
        .started(.init(index: index, id: "p\(index)", recipe: recipe(index)))
    }

    /// A finished picture whose file is `text`.
    private static func finished(_ index: Int, _ text: String) -> PictureEvent {
        let picture = Picture(
            id: "p\(index)", format: .png, width: 64, height: 48, bytes: 1234, sha256: "00",
            recipe: recipe(index), createdAt: Date(timeIntervalSince1970: 1e9))
        return .picture(.init(index: index, picture: picture, data: Data(text.utf8)))
    }

    private static func step(_ done: Int, index: Int = 0) -> PictureEvent {
        .progress(.init(index: index, stage: .denoise, done: done, total: 4, milliseconds: 1500))
    }

    private static func partial(_ number: Int, _ text: String) -> PictureEvent {
        .partial(
            .init(index: 0, number: number, step: 1, format: .png, width: 8, height: 6, data: Data(text.utf8))
        )
    }

    private static func notice(_ message: String) -> PictureEvent {
        .notice(.init(code: "prompt_cut", message: message))
    }

    private static func completed(_ finish: FinishReason = .stop) -> PictureEvent {
        let timings = PictureTimings(queued: 0, loading: 0, encode: 1, denoise: 2, decode: 3, total: 6)
        return .completed(.init(finish: finish, timings: timings, promptTokens: 4))
    }

    private static func whole(_ index: Int, _ text: String) -> [PictureEvent] {
        [started(index), step(4, index: index), finished(index, text)]
    }

    /// An event as it is on the wire.
    private static func text(_ event: PictureEvent) -> String {
        let data = (try? event.data()) ?? Data()
        return "event: \(event.name)\ndata: \(String(decoding: data, as: UTF8.self))\n\n"
    }

    /// A daemon that sends these events and then ends the connection, or does what `end` says.
    private static func daemon(
        _ events: [PictureEvent], _ end: @escaping @Sendable (SocketServer.Connection) -> Void = { _ in }
    ) throws -> SocketServer {
        try SocketServer { connection in
            connection.beginStream()
            for event in events { connection.write(text(event)) }
            end(connection)
        }
    }

    private func run(
        _ server: SocketServer, _ output: String?, recorder: Recorder, isTerminal: Bool = false,
        display: PictureDisplay? = nil, _ change: (inout ImagineOptions) -> Void = { _ in }
    ) async throws {
        var options = ImagineOptions(request: PictureRequest(prompt: "a fox"), target: PictureTarget(output))
        change(&options)
        try options.settle()
        try await ImagineSession(
            client: DaemonClient(socket: server.path), options: options,
            surroundings: recorder.surroundings(isTerminal: isTerminal, display: display)
        ).run()
    }

    // MARK: - Files

    @Test func aPictureIsWrittenAndItsNameIsPrinted() async throws {
        let (folder, recorder) = (try TemporaryFolder(), Recorder())
        let server = try Self.daemon(Self.whole(0, "FOX") + [Self.completed()])
        defer { server.stop() }
        try await run(server, folder.path + "/fox.png", recorder: recorder)
        #expect(folder.names == ["fox.png"])
        #expect(folder.read("fox.png") == Array("FOX".utf8))
        #expect(recorder.output == folder.path + "/fox.png\n")
        #expect(recorder.errors == "")
        let request = try #require(server.requests.first)
        #expect(request.method == "POST")
        #expect(request.target == "/inkling/v1/pictures")
        #expect(request.body == #"{"format":"png","prompt":"a fox"}"#)
    }

    @Test func aPersonIsToldSizeSeedAndTime() async throws {
        let (folder, recorder) = (try TemporaryFolder(), Recorder())
        let server = try Self.daemon(Self.whole(0, "FOX") + [Self.completed()])
        defer { server.stop() }
        try await run(server, folder.path + "/fox.png", recorder: recorder, isTerminal: true)
        #expect(recorder.output == folder.path + "/fox.png  64×48  1.2 kB  seed 42  0.00 s\n")
        #expect(recorder.errors.contains("step 4/4"))
        // The row of the progress is gone at the end.
        #expect(recorder.errors.hasSuffix("\r\u{1B}[K"))
    }

    @Test func severalPicturesAreNumbered() async throws {
        let (folder, recorder) = (try TemporaryFolder(), Recorder())
        let events = Self.whole(0, "A") + Self.whole(1, "B") + [Self.completed()]
        _ = try folder.write([9], "fox-2.png")
        try await run(try Self.daemon(events), folder.path + "/fox.png", recorder: recorder) {
            $0.request.count = 2
        }
        #expect(folder.names == ["fox-1.png", "fox-2.png"])
        // It was named, so it is replaced.
        #expect(folder.read("fox-2.png") == Array("B".utf8))
    }

    @Test func aNameThatIsTakenGetsANumberAndThatIsSaid() async throws {
        let (folder, recorder) = (try TemporaryFolder(), Recorder())
        let server = try Self.daemon(Self.whole(0, "A") + [Self.completed()])
        defer { server.stop() }
        for _ in 1...3 { try await run(server, folder.path, recorder: recorder) }
        #expect(folder.names == ["a-fox-42-2.png", "a-fox-42-3.png", "a-fox-42.png"])
        #expect(recorder.errors.split(separator: "\n").count == 2)
        #expect(recorder.errors.contains("a-fox-42.png is there already; this picture has another name\n"))
        #expect(recorder.output.hasSuffix("/a-fox-42-3.png\n"))
    }

    @Test func standardOutputGetsTheBytesAlone() async throws {
        for isTerminal in [false, true] {
            let recorder = Recorder()
            let events =
                [Self.notice("cut\u{1B}[2J")] + Self.whole(0, "FOX")
            let server = try Self.daemon(events + [Self.completed()])
            defer { server.stop() }
            try await run(server, "-", recorder: recorder, isTerminal: isTerminal)
            #expect(recorder.bytes == Array("FOX".utf8))
            #expect(recorder.output == "")
            #expect(recorder.errors.contains("inkling: cut[2J\n"))
            #expect(recorder.errors.hasSuffix("64×48  1.2 kB  seed 42  0.00 s\n"))
        }
    }

    @Test func aFileThatCannotBeWrittenEndsTheWorkWithTheWayToHaveItAgain() async throws {
        let (recorder, closed) = (Recorder(), Signal())
        let server = try Self.daemon(Self.whole(0, "FOX")) { connection in
            connection.waitForClose()
            closed.fire()
        }
        defer { server.stop() }
        let error = await #expect(throws: ClientError.self) {
            try await run(server, "/dev/full", recorder: recorder)
        }
        #expect(
            error?.description
                == "/dev/full cannot be written: No space left on device; the picture is kept: "
                + "inkling pictures save p0 -o FILE")
        #expect(error?.exitCode == 1)
        await closed.wait()
    }

    // MARK: - Endings

    @Test func aRefusalIsSaidInTheDaemonsWords() async throws {
        let recorder = Recorder()
        let server = try SocketServer {
            $0.answer(
                #"{"error":{"message":"there is no scheduler \"eula\"","code":"invalid_request"}}"#,
                status: "400 Bad Request")
        }
        defer { server.stop() }
        let error = await #expect(throws: ClientError.self) { try await run(server, nil, recorder: recorder) }
        #expect(error?.description == "there is no scheduler \"eula\"")
        #expect(recorder.output + recorder.errors == "")
    }

    @Test func aFailureInTheMiddleKeepsWhatIsFinished() async throws {
        let (folder, recorder) = (try TemporaryFolder(), Recorder())
        let failure = PictureEvent.failed(.init(error: .init(.outOfMemory, "no room for 9 GB")))
        let server = try Self.daemon(
            Self.whole(0, "A") + [Self.started(1), failure])
        defer { server.stop() }
        let error = await #expect(throws: ClientError.self) {
            try await run(server, folder.path + "/fox.png", recorder: recorder) { $0.request.count = 2 }
        }
        #expect(error == .refused(status: 500, code: "out_of_memory", message: "no room for 9 GB"))
        #expect(folder.names == ["fox-1.png"])
    }

    @Test func aLostConnectionIsExplainedWithTheSeed() async throws {
        let (folder, recorder) = (try TemporaryFolder(), Recorder())
        let server = try Self.daemon([Self.started(0), Self.step(2)])
        defer { server.stop() }
        let error = await #expect(throws: ClientError.self) {
            try await run(server, folder.path + "/fox.png", recorder: recorder, isTerminal: true)
        }
        #expect(error?.description.contains("closed the connection in the middle of its work") == true)
        #expect(error?.description.contains("--seed 42") == true)
        #expect(error?.exitCode == 1)
        #expect(folder.names.isEmpty)
        #expect(recorder.errors.hasSuffix("\r\u{1B}[K"))
    }

    @Test func aStreamThatIsCutInAPictureWritesNothing() async throws {
        let (folder, recorder) = (try TemporaryFolder(), Recorder())
        let server = try Self.daemon([Self.started(0)]) { connection in
            connection.write(String(Self.text(Self.finished(0, "FOX")).prefix(60)))
        }
        defer { server.stop() }
        let error = await #expect(throws: ClientError.self) {
            try await run(server, folder.path + "/fox.png", recorder: recorder)
        }
        #expect(error?.description.contains("closed the connection") == true)
        #expect(folder.names.isEmpty)
    }

    @Test func interruptingClosesTheConnectionAndKeepsWhatIsFinished() async throws {
        let (folder, recorder, closed) = (try TemporaryFolder(), Recorder(), Signal())
        let stepped = Signal()
        let server = try Self.daemon(Self.whole(0, "A") + [Self.started(1)]) { connection in
            stepped.fire()
            connection.waitForClose()
            closed.fire()
        }
        defer { server.stop() }
        let task = Task {
            try await run(server, folder.path + "/fox.png", recorder: recorder) {
                $0.request.count = 2
                $0.isJSON = true
            }
        }
        await stepped.wait()
        while folder.names.isEmpty, !Task.isCancelled { await Task.yield() }
        task.cancel()
        await #expect(throws: ClientError.cancelled) { try await task.value }
        await closed.wait()
        #expect(folder.names == ["fox-1.png"])
        #expect(recorder.output.contains(#""finish":"cancelled""#))
        #expect(ClientError.cancelled.exitCode == 130)
    }

    @Test func workThatTheDaemonStoppedIsAFailure() async throws {
        let (folder, recorder) = (try TemporaryFolder(), Recorder())
        let server = try Self.daemon([Self.started(0), Self.completed(.cancelled)])
        defer { server.stop() }
        let error = await #expect(throws: ClientError.self) {
            try await run(server, folder.path + "/fox.png", recorder: recorder)
        }
        #expect(error?.description.contains("stopped the work") == true)
        #expect(error?.description.contains("--seed 42") == true)
        #expect(error?.exitCode == 1)
    }

    // MARK: - For programs

    private struct Report: Decodable {
        struct Entry: Decodable {
            var path: String
            var picture: Picture
        }

        var pictures: [Entry]
        var notices: [Notice]
        var finish: String?
        var promptTokens: Int?
        var error: [String: String]?
    }

    @Test func jsonIsOneObject() async throws {
        let (folder, recorder) = (try TemporaryFolder(), Recorder())
        let events = [Self.notice("cut")] + Self.whole(0, "FOX")
        try await run(
            try Self.daemon(events + [Self.completed()]), folder.path + "/fox.png",
            recorder: recorder, isTerminal: true
        ) { $0.isJSON = true }
        #expect(recorder.output.filter { $0 == "\n" }.count == 1)
        let report = try Wire.decoder().decode(Report.self, from: Data(recorder.output.utf8))
        #expect(report.pictures.map(\.path) == [folder.path + "/fox.png"])
        #expect(report.pictures.first?.picture.recipe.seed == 42)
        #expect(report.notices == [Notice(code: "prompt_cut", message: "cut")])
        #expect(report.finish == "stop")
        #expect(report.promptTokens == 4)
        #expect(report.error == nil)
    }

    @Test func jsonAlsoTellsWhatFailed() async throws {
        let recorder = Recorder()
        let server = try SocketServer {
            $0.answer(
                #"{"error":{"message":"no such model","code":"model_not_found"}}"#, status: "404 Not Found")
        }
        defer { server.stop() }
        await #expect(throws: ClientError.self) {
            try await run(server, nil, recorder: recorder) { $0.isJSON = true }
        }
        let report = try Wire.decoder().decode(Report.self, from: Data(recorder.output.utf8))
        #expect(report.error == ["code": "model_not_found", "message": "no such model"])
        #expect(report.pictures.isEmpty && report.finish == nil)
    }

    @Test func quietIsQuiet() async throws {
        let (folder, recorder) = (try TemporaryFolder(), Recorder())
        let events = [Self.notice("cut")] + Self.whole(0, "FOX")
        let server = try Self.daemon(events + [Self.completed()])
        defer { server.stop() }
        try await run(server, folder.path + "/fox.png", recorder: recorder, isTerminal: true) {
            $0.isQuiet = true
        }
        #expect(recorder.output + recorder.errors == "")
        #expect(folder.names == ["fox.png"])
    }

    // MARK: - The screen

    /// Draws a file as its own text, a row a letter.
    private static let display = PictureDisplay { file, size, room, _ in
        #expect(size == PictureSize(width: 64, height: 48))
        #expect(room == .init(columns: 60, rows: 18))
        let text = String(decoding: file, as: UTF8.self)
        return .init(
            text: text.map { "\($0)\n" }.joined(), area: CellArea(columns: 1, rows: text.count))
    }

    @Test func partialPicturesGiveWayToTheFinishedOne() async throws {
        let (folder, recorder) = (try TemporaryFolder(), Recorder())
        let events = [
            Self.started(0), Self.partial(0, "ab"), Self.step(2),
            Self.partial(1, "cd"), Self.finished(0, "FOX"),
            Self.completed(),
        ]
        let server = try Self.daemon(events)
        defer { server.stop() }
        try await run(
            server, folder.path + "/fox.png", recorder: recorder, isTerminal: true, display: Self.display)
        func replacing(_ rows: Int, _ text: String) -> String {
            let area = CellArea(columns: 1, rows: rows)
            return TerminalGraphics.replacing(rows: 2, with: .init(text: text, area: area))
        }
        #expect(
            recorder.output
                == "a\nb\n" + replacing(2, "c\nd\n") + replacing(3, "F\nO\nX\n")
                + folder.path + "/fox.png  64×48  1.2 kB  seed 42  0.00 s\n")
        #expect(server.requests.first?.body.contains(#""partial_images":3"#) == true)
    }

    @Test func withoutPreviewNoPartialPicturesAreAskedFor() async throws {
        let (folder, recorder) = (try TemporaryFolder(), Recorder())
        let server = try Self.daemon(Self.whole(0, "FOX") + [Self.completed()])
        defer { server.stop() }
        try await run(
            server, folder.path + "/fox.png", recorder: recorder, isTerminal: true, display: Self.display
        ) { $0.showsPreview = false }
        #expect(server.requests.first?.body.contains("partial_images") == false)
        #expect(recorder.output.hasPrefix("F\nO\nX\n"))
    }

    @Test func aPictureAfterANoticeIsDrawnBelowIt() async throws {
        let (folder, recorder) = (try TemporaryFolder(), Recorder())
        let events = [
            Self.started(0), Self.partial(0, "ab"),
            Self.notice("hear"), Self.finished(0, "FOX"),
            Self.completed(),
        ]
        try await run(
            try Self.daemon(events), folder.path + "/fox.png", recorder: recorder, isTerminal: true,
            display: Self.display)
        #expect(recorder.output.hasPrefix("a\nb\nF\nO\nX\n"))
    }
}
