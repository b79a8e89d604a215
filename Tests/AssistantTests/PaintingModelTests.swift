import AssistantAPI
import FoundationEssentials
import ImageCodecs
import Settings
import Testing

@testable import Assistant

/// Real networks with random weights, through the whole engine.
@Suite(.timeLimit(.minutes(5)))
struct PaintingModelTests {
    /// The tiny models that the picture engine's own tests are made with.
    private static let models: String = {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(2)
        return parts.joined(separator: "/") + "/StableDiffusionTests/Fixtures/models/"
    }()

    private func request(_ model: String, steps: Int = 6) -> PictureRequest {
        var request = PictureRequest(prompt: "a fox reading a newspaper")
        (request.model, request.seed, request.steps) = (Self.models + model, 42, steps)
        (request.width, request.height) = (128, 128)
        return request
    }

    private func paint(_ request: PictureRequest, on tiny: TinyAssistant) async throws -> Data {
        var file: Data?
        for try await event in tiny.assistant.pictures.make(request, client: "painter") {
            if case .picture(let finished) = event { file = finished.data }
        }
        return try #require(file)
    }

    @Test(arguments: ["sd15", "sd2-v", "sd-turbo", "sdxl", "lcm", "bk-sdm", "sdxs"])
    func everyFamilyPaints(model: String) async throws {
        let tiny = try TinyAssistant()
        let bitmap = try Bitmap(decoding: Array(try await paint(request(model, steps: 2), on: tiny)))
        #expect((bitmap.width, bitmap.height) == (128, 128))
        #expect(Set(bitmap.samples).count > 1)
        let summary = try await tiny.assistant.model(Self.models + model)
        #expect(summary.kind == .picture && summary.state == .loaded)
        #expect((summary.pictureDetails?.parameterCount ?? 0) > 0)
    }

    @Test(arguments: [1, 2, 3])
    func neitherLoadNorThreadsChangeAPicture(threads: Int) async throws {
        let alone = try await paint(request("sd15"), on: try TinyAssistant { $0.engine.threads = 1 })
        let tiny = try TinyAssistant(contextLength: 1 << 20) { $0.engine.threads = threads }
        let question = TinyAssistant.request(.text("The quick brown fox"), tokens: 40, seed: 3)
        let answer = try await TinyAssistant(contextLength: 1 << 20).complete(question)
        let talking = Task { () throws -> Bool in
            var isSame = true
            while !Task.isCancelled {
                let outcome = try await tiny.complete(question, client: "talker")
                if !Task.isCancelled { isSame = isSame && outcome.text == answer.text }
            }
            return isSame
        }
        for _ in 0..<3 { #expect(try await paint(request("sd15"), on: tiny) == alone) }
        talking.cancel()
        #expect(try await talking.value)
    }

    @Test func aStoppedPictureLeavesNoTrace() async throws {
        let tiny = try TinyAssistant()
        let whole = try await paint(request("sd15"), on: tiny)
        for stop in 1...8 {
            var count = 0
            for try await _ in tiny.assistant.pictures.make(request("sd15")) {
                count += 1
                if count == stop { break }
            }
        }
        await tiny.assistant.core.engine.gate.idle()
        #expect(try await paint(request("sd15"), on: tiny) == whole)
    }

    @Test func aPreviewLooksLikeThePicture() async throws {
        let tiny = try TinyAssistant()
        var request = request("sd15", steps: 8)
        request.partialImages = 3
        var sizes: [Int] = []
        for try await event in tiny.assistant.pictures.make(request) {
            if case .partial(let partial) = event {
                let bitmap = try Bitmap(decoding: Array(partial.data))
                #expect(bitmap.width == partial.width && bitmap.height == partial.height)
                sizes.append(partial.step)
            }
        }
        #expect(sizes == [2, 4, 6])
    }
}
