import Foundation
import ImageCodecs
import StrictJSON
import Tensors
import Testing

@testable import StableDiffusion

/// The model in `Assets/models` against diffusers' pictures of it (`Fixtures/make-shipped-goldens.py`).
@Suite struct ShippedModelTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Assets/models/inkling-scenes").path

    private func load() throws -> (model: DiffusionModel, operations: Operations) {
        let operations = Operations(pool: WorkerPool(threadCount: 2))
        return (try DiffusionModel.load(Self.folder, operations: operations), operations)
    }

    @Test func itNeedsFewStepsAndNoGuidance() throws {
        let plan = try load().model.plan(RenderSettings(prompt: "a fox", seed: 0))
        #expect(plan.steps <= 4 && plan.guidanceScale == 1 && !plan.isGuided)
        #expect(plan.width == 128 && plan.height == 128 && plan.decoder == .tiny)
        #expect(plan.warnings.isEmpty)
    }

    @Test func itIsSmallEnoughToTravelWithTheSources() throws {
        let info = try DiffusionModel.inspect(Self.folder)
        #expect(info.byteCount < 60_000_000)
    }

    @Test func itPaintsWhatDiffusersPaints() throws {
        let (model, operations) = try load()
        let pass = Pass(operations: operations)
        let cases = try #require(
            try JSONValue(parsing: [UInt8](ReferenceNumbers.read("shipped.json"))).array)
        let pictures = [UInt8](try ReferenceNumbers.read("shipped.rgb"))
        #expect(cases.count == 6 && pictures.count == 6 * 128 * 128 * 3)
        for (index, json) in cases.enumerated() {
            var settings = RenderSettings(
                prompt: try #require(json["prompt"]?.string),
                seed: UInt64(try #require(json["seed"]?.int)))
            settings.steps = try #require(json["steps"]?.int)
            let expected = Array(pictures[index * 128 * 128 * 3..<(index + 1) * 128 * 128 * 3])
            let ratio = Render.signalToNoise(try Render(model, settings, pass).picture.samples, expected)
            #expect(ratio >= 40, "\(settings.prompt): \(ratio) dB")
        }
    }
}
