import Foundation
import ImageCodecs
import Tensors
import Testing

@testable import StableDiffusion

/// Renders that start from another picture's latents.
@Suite struct StartLatentsTests {
    /// Models with a scheduler each: its own, or another one.
    static let cases: [(String, SchedulerKind?)] = [
        ("sd15", nil), ("sd15", .dpmpp2M), ("sd15", .unipc), ("sd2-v", .ddim), ("sd-turbo", nil),
        ("lcm", nil),
        ("sdxs", nil), ("sdxl", .eulerAncestral), ("bk-sdm", .tcd),
    ]

    private static func settings(_ scheduler: SchedulerKind?, _ prompt: String = "a fox") -> RenderSettings {
        var settings = RenderSettings(prompt: prompt, seed: 42)
        (settings.width, settings.height, settings.steps) = (32, 24, 4)
        settings.scheduler = scheduler
        return settings
    }

    @Test(arguments: cases)
    func aWarmStartedPictureCanBePaintedAgain(_ name: String, _ scheduler: SchedulerKind?) throws {
        let model = try Models.load(name)
        let pass = Pass(operations: model.operations)
        let first = try Render(model.model, Self.settings(scheduler), pass)
        let start = first.start
        var settings = Self.settings(scheduler, "a red fox")
        (settings.startLatents, settings.strength) = (start, 0.5)
        let plan = try model.model.plan(settings)
        #expect(plan.strength == 0.5 && plan.startLatents == start)
        // Latent consistency models take all steps, and PNDM looks twice at the second time.
        #expect(plan.stepCount == (name == "lcm" ? 4 : plan.scheduler == .pndm ? 3 : 2))
        let warm = try Render(model.model, settings, pass)
        #expect(warm.picture != first.picture)
        // From what a recipe holds, by other threads.
        settings.startLatents = try StartLatents(
            height: start.height, width: start.width, channels: start.channels, bytes: Data(start.bytes))
        let again = try Models.load(name, threadCount: 1)
        let second = try Render(again.model, settings, Pass(operations: again.operations))
        #expect(second.latents == warm.latents && second.picture == warm.picture)
    }

    /// The same as from a picture whose latents are these, with the same random numbers.
    @Test func latentsStartAsAPictureDoes() throws {
        let model = try Models.load("sdxs")
        let pass = Pass(operations: model.operations)
        var settings = Self.settings(nil)
        settings.steps = 5
        let start = StartLatents(
            FeatureMap(height: 3, width: 4, pixels: Tensor(rows: 12, columns: 4, Self.ramp(48))))
        (settings.startLatents, settings.strength) = (start, 0.6)
        let found = try Render(model.model, settings, pass)

        settings.startLatents = nil
        settings.initImage = Pictures.start(width: 32, height: 24)
        let plan = try model.model.plan(settings)
        let scale = model.model.parts.latentScale
        let map = FeatureMap(height: 3, width: 4, pixels: Tensor(rows: 12, columns: 4, start.latents.values))
        let picture = EncodedPicture(content: .latents(scale.autoencoderLatents(map, pass.operations)))
        var denoising = try Denoising(
            model.model, plan, model.model.encodePrompt(plan, pass), picture: picture, pass: pass)
        while try denoising.next(pass) != nil {}
        #expect(difference(denoising.latents.pixels.elements, found.latents) < 1e-5)
    }

    @Test func theLessIsPaintedAnewTheMoreIsLeft() throws {
        let model = try Models.load("sd15")
        let pass = Pass(operations: model.operations)
        var settings = Self.settings(.ddim)
        (settings.steps, settings.guidanceScale) = (10, 1)
        let start = try Render(model.model, settings, pass).start
        settings.prompt = "a green house"
        settings.startLatents = start
        let distances = try [0.1, 0.5, 0.9].map { strength in
            settings.strength = strength
            let plan = try model.model.plan(settings)
            #expect(plan.stepCount == Int(10 * strength))
            return difference(try Render(model.model, settings, pass).latents, start.latents.values)
        }
        #expect(distances[0] < distances[1] && distances[0] < distances[2])
    }

    @Test func halfPrecisionGoesThroughBytesUnchanged() throws {
        let values: [Float] = [0, -0.0, 1, -1.5, 65504, 6e-8, 0.1, -3.14159]
        let start = StartLatents(
            FeatureMap(height: 1, width: 2, pixels: Tensor(rows: 2, columns: 4, values)))
        #expect(start.bytes.count == 16)
        #expect(Array(start.bytes[4..<6]) == [0x00, 0x3c])  // 1, low byte first
        let read = try StartLatents(height: 1, width: 2, channels: 4, bytes: start.bytes)
        #expect(read == start)
        #expect(read.latents.values == values.map { Float(Float16($0)) })
    }

    @Test func bytesOfAnotherSizeAreRefused() {
        let sizes = [(1, 2, 4), (2, 2, 4), (0, 2, 4), (-1, -2, 4), (Int.max, 2, 4), (1 << 32, 1 << 32, 4)]
        for (height, width, channels) in sizes {
            #expect(throws: StableDiffusionError.self, "\(height) × \(width)") {
                try StartLatents(
                    height: height, width: width, channels: channels, bytes: [UInt8](repeating: 0, count: 17))
            }
        }
    }

    @Test func startLatentsThatDoNotFitAreRefusedByName() throws {
        let model = try Models.load("sd15").model
        func start(_ height: Int, _ width: Int, _ channels: Int, value: Float = 1) -> StartLatents {
            let values = [Float](repeating: value, count: height * width * channels)
            return StartLatents(
                FeatureMap(
                    height: height, width: width,
                    pixels: Tensor(rows: height * width, columns: channels, values)))
        }
        let picture = Pictures.start(width: 32, height: 24)
        let changes: [(String, (inout RenderSettings) -> Void)] = [
            ("start latents", { $0.startLatents = start(4, 3, 4) }),
            ("start latents", { $0.startLatents = start(3, 4, 3) }),
            ("start latents", { $0.startLatents = start(3, 4, 4, value: .nan) }),
            ("start latents", { $0.startLatents = start(3, 4, 4, value: 1e6) }),
            ("start latents", { ($0.startLatents, $0.initImage) = (start(3, 4, 4), picture) }),
            ("mask", { ($0.startLatents, $0.mask) = (start(3, 4, 4), picture) }),
            ("strength", { ($0.startLatents, $0.strength) = (start(3, 4, 4), 0.2) }),
            ("strength", { ($0.startLatents, $0.strength) = (start(3, 4, 4), 1.5) }),
        ]
        for (name, change) in changes {
            var asked = Self.settings(nil)
            change(&asked)
            let error = #expect(throws: StableDiffusionError.self) { try model.plan(asked) }
            guard case .invalidSetting(name, _, _) = error else {
                Issue.record("\(name): \(String(describing: error))")
                continue
            }
        }
        var settings = RenderSettings(prompt: "a fox", seed: 1)
        settings.startLatents = start(5, 6, 4)
        let plan = try model.plan(settings)
        #expect(plan.width == 48 && plan.height == 40 && plan.strength == 0.8)
    }

    private static func ramp(_ count: Int) -> [Float] { (0..<count).map { Float($0) / 16 - 1.5 } }
}
