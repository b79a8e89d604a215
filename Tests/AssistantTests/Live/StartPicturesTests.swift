import AssistantAPI
import Digest
import FoundationEssentials
import ImageCodecs
import Testing

@testable import Assistant

/// Pictures that a canvas starts from.
@Suite(.timeLimit(.minutes(5)))
struct StartPicturesTests: PlayedCanvas {
    let frames = ScriptedFrames()
    let clock = ManualClock()
    let tally = CanvasTally()
    let measures = StageMeasures()

    private func file(_ colour: UInt8, side: Int = 8) throws -> Data {
        let samples = Array(repeating: colour, count: side * side * 3)
        return Data(try PNG.encode(Bitmap(width: side, height: side, channels: 3, samples: samples)))
    }

    @Test func theLastFewAreKeptAndTheirBytesAreCounted() throws {
        let files = try (0..<6).map { try file(UInt8($0)) }
        var pictures = StartPictures(nil)
        #expect(pictures.byteCount == 0 && pictures.current == nil)
        for file in files { pictures.begin(with: try StartPicture(file)) }
        let hashes = files.map { SHA256.hexadecimal(of: $0) }
        let newest = Array(files.suffix(StartPictures.limit))
        let found = hashes.suffix(StartPictures.limit).compactMap { pictures.file($0) }
        #expect(found == newest && pictures.file(hashes[1]) == nil && pictures.current?.hash == hashes[5])
        let kept = newest.reduce(0) { $0 + $1.count }
        #expect(pictures.byteCount == kept + 8 * 8 * 3)
        pictures.begin(with: nil)
        #expect(pictures.current == nil && pictures.byteCount == kept)
    }

    @Test func everyRenderStartsFromThePictureThatWasReadWhenItWasSet() async throws {
        let first = try file(1)
        let canvas = try open { ($0.initImage, $0.strength) = (first, 0.5) }
        var events = canvas.events(after: nil).makeAsyncIterator()
        let probe = try #require(await frames.next())
        #expect(probe.request.startPicture?.file == first)
        probe.finish()
        try await untilStaged(&events)
        try type("a fox ", 1, on: canvas)
        let draft = try #require(await frames.next())
        #expect(draft.request.startPicture?.file == first && draft.request.picture.strength == 0.5)
        #expect(draft.request.warm == nil)
        // The picture counts, as what is in use.
        let held = canvas.holdings.filter(\.isInUse).reduce(0) { $0 + $1.bytes }
        #expect(held == first.count + 8 * 8 * 3)
        var change = CanvasSettings()
        let larger = try file(2, side: 16)
        change.initImage = larger
        let changed = try canvas.change(change)
        #expect(changed.initImage == SHA256.hexadecimal(of: larger) && changed.settings.initImage == nil)
        let second = try #require(await frames.next())
        #expect(second.request.startPicture?.bitmap.width == 16)
        change.initImage = Data()
        let free = try canvas.change(change)
        #expect(free.initImage == nil)
        let third = try #require(await frames.next())
        #expect(third.request.startPicture == nil && third.request.picture.initImage == nil)
    }

    @Test func whatIsNoPictureIsRefusedAndNamed() throws {
        let canvas = try open()
        var change = CanvasSettings()
        change.initImage = Data("no picture".utf8)
        let error = #expect(throws: AssistantError.self) { try canvas.change(change) }
        #expect(error?.code == .invalidRequest && error?.parameter == "init_image")
        #expect(canvas.canvas.initImage == nil)
        #expect(throws: AssistantError.self) { try open { $0.initImage = Data([1, 2, 3]) } }
    }
}
