import AssistantAPI
import FoundationEssentials
import History
import ImageCodecs
import Logging
import Synchronization
import Testing

@testable import Assistant

/// An engine whose pictures a test plays by hand, event by event.
private final class ScriptedPictureEngine: Sendable {
    let requests = Mutex<[PictureRequest]>([])
    let stopped = Atomic(0)
    private let calls: AsyncStream<PictureJob.Stream.Continuation>
    private let newCalls: AsyncStream<PictureJob.Stream.Continuation>.Continuation

    init() { (calls, newCalls) = AsyncStream.makeStream() }

    func next() async -> PictureJob.Stream.Continuation? {
        var iterator = calls.makeAsyncIterator()
        return await iterator.next()
    }

    var engine: PictureEngine {
        PictureEngine { request, _ throws(AssistantError) in
            self.requests.withLock { $0.append(request) }
            let (stream, events) = AsyncThrowingStream.makeStream(of: PaintingEvent.self)
            self.newCalls.yield(events)
            return PictureEngine.Running(
                events: stream,
                recipe: { outline in
                    Recipe(
                        model: "m", prompt: request.prompt, width: outline.width, height: outline.height,
                        steps: outline.steps, seed: outline.seed, scheduler: outline.scheduler,
                        guidanceScale: outline.guidanceScale, decoder: outline.decoder)
                },
                cancel: {
                    if self.stopped.add(1, ordering: .relaxed).newValue == 1 { events.complete(.cancelled) }
                })
        }
    }
}

extension PictureJob.Stream.Continuation {
    fileprivate func begin(_ index: Int = 0) {
        yield(
            .started(
                index: index,
                PictureOutline(
                    width: 16, height: 8, steps: 2, stepCount: 2, seed: 9, scheduler: "lcm",
                    guidanceScale: 1, decoder: "tiny", clipSkip: 0, strength: nil, negativePrompt: "",
                    promptTokens: 4, warnings: [])))
    }

    fileprivate func paint(_ index: Int = 0) {
        yield(.picture(index: index, Self.bitmap(16, 8)))
    }

    fileprivate func complete(_ finish: FinishReason = .stop) {
        let timings = PictureTimings(queued: 0, loading: 0, encode: 1, denoise: 2, decode: 3, total: 6)
        yield(.completed(.init(finish: finish, timings: timings, promptTokens: 4)))
        self.finish()
    }

    fileprivate static func bitmap(_ width: Int, _ height: Int) -> Bitmap {
        Bitmap(
            width: width, height: height, channels: 3,
            samples: (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0) })
    }
}

@Suite(.timeLimit(.minutes(2)))
struct PictureServiceTests {
    private let engine = ScriptedPictureEngine()
    private let clock = ManualClock()

    private func withService(
        inMemory: Bool = false, _ body: (PictureService, HistoryStore, String) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/inkling-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let history = try HistoryStore.open(path: inMemory ? nil : folder + "/history.db")
        let service = PictureService(
            history: history, engine: engine.engine,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), clock: clock)
        try await body(service, history, folder)
        await service.drain()
        try await history.close()
    }

    /// Makes one picture to its end.
    private func make(
        _ request: PictureRequest = PictureRequest(prompt: "a fox, \"running\""), with service: PictureService
    ) async throws -> [PictureEvent] {
        let stream = service.make(request)
        let call = try #require(await engine.next())
        call.begin()
        call.paint()
        call.complete()
        var events: [PictureEvent] = []
        for try await event in stream { events.append(event) }
        return events
    }

    private func finished(_ events: [PictureEvent]) throws -> PictureEvent.Finished {
        try #require(
            events.compactMap { if case .picture(let finished) = $0 { finished } else { nil } }.first)
    }

    @Test func aPictureIsKeptWithItsRecipeAndHadAgain() async throws {
        try await withService { service, _, _ in
            let events = try await make(with: service)
            #expect(events.map(\.name) == ["started", "picture", "completed"])
            let finished = try finished(events)
            guard case .started(let started) = events[0] else { return }
            #expect(started.id == finished.picture.id)
            #expect(started.promptTokens == 4)
            let again = try await service.file(of: started.id)
            #expect(again.data == finished.data)
            #expect(again.picture.recipe == started.recipe)
            #expect(again.picture.recipe.prompt == "a fox, \"running\"")
            #expect(try await service.list().pictures.map(\.id) == [started.id])
            #expect(
                try Bitmap(decoding: Array(finished.data)) == PictureJob.Stream.Continuation.bitmap(16, 8))
            let metadata = try #require(try PictureMetadata(reading: Array(finished.data)))
            #expect(metadata.software == "Inkling \(Inkling.version)")
            #expect(metadata.parameters == started.recipe.parametersText)
            #expect(try await service.delete(started.id).id == started.id)
            await #expect(throws: AssistantError.self) { try await service.file(of: started.id) }
            #expect(try await service.list().pictures.isEmpty)
        }
    }

    @Test func theRecipeCanBeLeftOutOfTheFile() async throws {
        try await withService { service, _, _ in
            var request = PictureRequest(prompt: "a secret")
            (request.keepsRecipe, request.format) = (false, .webp)
            let finished = try finished(try await make(request, with: service))
            let metadata = try #require(try PictureMetadata(reading: Array(finished.data)))
            #expect(metadata.parameters == nil)
            #expect(Array(finished.data).firstRange(of: Array("secret".utf8)) == nil)
            #expect(finished.picture.format == .webp)
            #expect(finished.picture.recipe.prompt == "a secret")
        }
    }

    @Test(arguments: [true, false])
    func aPrivatePictureIsInMemoryForAWhileOnly(byRequest: Bool) async throws {
        try await withService(inMemory: !byRequest) { service, _, folder in
            var request = PictureRequest(prompt: "private")
            if byRequest { request.isPrivate = true }
            let finished = try finished(try await make(request, with: service))
            #expect(finished.picture.isPrivate == true)
            #expect(try await service.file(of: finished.picture.id).data == finished.data)
            #expect(try await service.list().pictures.isEmpty)
            #expect(!FileManager.default.fileExists(atPath: folder + "/history.db-pictures"))
            #expect(await clock.nextSleep() == RecentPictures.lifetime)
            clock.advance(by: RecentPictures.lifetime)
            while (try? await service.picture(finished.picture.id)) != nil { await Task.yield() }
        }
    }

    @Test func aPictureThatCannotBeSavedIsDeliveredWithANotice() async throws {
        try await withService { service, _, folder in
            // A file where the folder should be, as good as a full disk.
            try Data().write(to: URL(filePath: folder + "/history.db-pictures"))
            let events = try await make(with: service)
            #expect(events.map(\.name) == ["started", "notice", "picture", "completed"])
            guard case .notice(let notice) = events[1] else { return }
            #expect(notice.code == "not_saved")
            let finished = try finished(events)
            #expect(try await service.file(of: finished.picture.id).data == finished.data)
            #expect(try await service.list().pictures.isEmpty)
        }
    }

    @Test func aClientThatLeavesStopsTheWorkAndWhatWasFinishedStays() async throws {
        try await withService { service, _, _ in
            var request = PictureRequest(prompt: "p")
            request.count = 2
            do {
                var events = service.make(request).makeAsyncIterator()
                let call = try #require(await engine.next())
                call.begin()
                call.paint()
                call.begin(1)
                while let event = try await events.next(), event.name != "picture" {}
            }
            await service.drain()
            #expect(engine.stopped.load(ordering: .relaxed) == 1)
            #expect(try await service.list().pictures.count == 1)
        }
    }

    @Test func previewsAreSentSmallOrInThePicturesSize() async throws {
        try await withService { service, _, _ in
            for (size, width) in [(PictureService.PartialSize.small, 2), (.full, 16)] {
                let stream = service.make(PictureRequest(prompt: "p"), partialSize: size)
                let call = try #require(await engine.next())
                call.begin()
                call.yield(
                    .preview(index: 0, number: 0, step: 1, PictureJob.Stream.Continuation.bitmap(2, 1)))
                call.complete()
                var partial: PictureEvent.Partial?
                for try await event in stream { if case .partial(let value) = event { partial = value } }
                #expect(partial?.width == width)
                #expect(try Bitmap(decoding: Array(partial?.data ?? Data())).width == width)
            }
        }
    }

    @Test func anErrorOfTheEngineEndsTheStream() async throws {
        try await withService { service, _, _ in
            let stream = service.make(PictureRequest(prompt: "p"))
            let call = try #require(await engine.next())
            call.begin()
            call.finish(throwing: AssistantError(.outOfMemory, "too large"))
            await #expect(throws: AssistantError(.outOfMemory, "too large")) {
                for try await _ in stream {}
            }
        }
    }

    @Test func afterTheEndNothingBegins() async throws {
        try await withService { service, _, _ in
            let stream = service.make(PictureRequest(prompt: "p"))
            _ = await engine.next()
            await service.stopAll()
            var last: PictureEvent?
            for try await event in stream { last = event }
            guard case .completed(let completed) = last else {
                Issue.record("\(String(describing: last))")
                return
            }
            #expect(completed.finish == .interrupted)
            let error = await #expect(throws: AssistantError.self) {
                for try await _ in service.make(PictureRequest(prompt: "p")) {}
            }
            #expect(error?.code == .shuttingDown)
        }
    }
}
