import AssistantAPI
import FoundationEssentials
import Testing

@testable import Assistant

@Suite struct CanvasFeedTests {
    private let canvas = Canvas(
        id: "c", settings: CanvasSettings(), createdAt: Date(timeIntervalSince1970: 0))

    private func frame(_ number: Int) -> CanvasEvent {
        .frame(
            .init(
                number: number, revision: number, stage: .draft, step: 1, steps: 1, isSettled: false,
                width: 8, height: 8, format: .webp, data: Data(count: 1000),
                timings: FrameTimings(sinceKey: 0, waited: 0, encode: 0, denoise: 0, decode: 0)))
    }

    private func superseded(_ revision: Int) -> CanvasEvent {
        .superseded(.init(revision: revision, stage: .draft, step: 0))
    }

    private func failed(_ revision: Int) -> CanvasEvent {
        .failed(.init(revision: revision, error: AssistantError(.outOfMemory, "too large")))
    }

    private func names(_ stream: CanvasFeed.Stream) async throws -> [String] {
        var names: [String] = []
        for try await numbered in stream { names.append("\(numbered.number) \(numbered.event.name)") }
        return names
    }

    @Test func aNewReaderGetsTheCanvasAndTheNewestFrame() async throws {
        let feed = CanvasFeed()
        for event in [frame(1), superseded(2), frame(3), superseded(4)] { feed.send(event) }
        let stream = feed.events(after: nil, canvas: canvas)
        feed.close()
        #expect(try await names(stream) == ["2 canvas", "3 frame", "4 superseded", "5 closed"])
    }

    @Test func whoComesBackGetsWhatWasMissedWithoutReplacedFrames() async throws {
        let feed = CanvasFeed()
        for event in [frame(1), superseded(2), frame(3), superseded(4), frame(5)] { feed.send(event) }
        let stream = feed.events(after: 1, canvas: canvas)
        let current = feed.events(after: 5, canvas: canvas)
        let unknown = feed.events(after: 99, canvas: canvas)
        feed.close()
        #expect(try await names(stream) == ["2 superseded", "4 superseded", "5 frame", "6 closed"])
        #expect(try await names(current) == ["6 closed"])
        #expect(try await names(unknown) == ["4 canvas", "5 frame", "6 closed"])
    }

    @Test func aReaderThatTakesNothingLosesTheReplacedAndNeverTheNewestFrame() async throws {
        let feed = CanvasFeed()
        let slow = feed.events(after: nil, canvas: canvas)
        for number in 1...5000 {
            feed.send(frame(number))
            feed.send(superseded(number))
        }
        for number in 0..<200 { feed.send(superseded(number)) }
        feed.close()
        let names = try await names(slow)
        #expect(names.count <= EventBacklog.limit)
        #expect(names.filter { $0.hasSuffix("frame") } == ["9999 frame"])
        #expect(names.last == "10201 closed")
    }

    @Test func aReaderThatComesLaterLearnsWhyThereIsNoFrame() async throws {
        let feed = CanvasFeed()
        for event in [superseded(1), failed(1), failed(2), superseded(3)] { feed.send(event) }
        let failing = feed.events(after: nil, canvas: canvas)
        feed.send(.canvas(canvas))
        let ready = feed.events(after: nil, canvas: canvas)
        feed.send(failed(4))
        feed.send(frame(5))
        let painted = feed.events(after: nil, canvas: canvas)
        feed.close()
        #expect(
            try await names(failing)
                == ["3 failed", "4 superseded", "5 canvas", "6 failed", "7 frame", "8 closed"])
        #expect(try await names(ready) == ["5 canvas", "6 failed", "7 frame", "8 closed"])
        #expect(try await names(painted) == ["6 canvas", "7 frame", "8 closed"])
    }

    @Test func manyEventsHideNeitherTheCanvasNorWhyItHasNoFrame() async throws {
        let feed = CanvasFeed()
        feed.send(failed(1))
        for number in 0..<200 { feed.send(superseded(number)) }
        let stream = feed.events(after: nil, canvas: canvas)
        feed.close()
        let names = try await names(stream)
        #expect(names.prefix(2) == ["0 canvas", "1 failed"] && names.count <= EventBacklog.limit)
    }

    @Test func readersThatLeaveAreForgotten() async throws {
        let feed = CanvasFeed()
        // In a task of its own, with which the stream goes for certain.
        try await Task {
            for try await _ in feed.events(after: nil, canvas: canvas) { break }
        }.value
        #expect(feed.readerCount == 0)
        let waiting = Task { try await names(feed.events(after: nil, canvas: canvas)) }
        while feed.readerCount == 0 { await Task.yield() }
        waiting.cancel()
        _ = try await waiting.value
        #expect(feed.readerCount == 0)
    }
}
