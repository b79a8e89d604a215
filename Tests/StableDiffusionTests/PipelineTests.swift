import Foundation
import ImageCodecs
import StrictJSON
import Tensors
import Testing

@testable import StableDiffusion

/// Whole renders against diffusers' pipelines (`Fixtures/make-pipeline-goldens.py`).
@Suite struct PipelineTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let model: String
        let settings: RenderSettings
        let picture: [UInt8]
        let latents: ArraySlice<Float>
        let testDescription: String

        init(_ json: JSONValue, pictures: [UInt8], latents: [Float]) throws {
            model = try #require(json["model"]?.string)
            let width = try #require(json["width"]?.int)
            let height = try #require(json["height"]?.int)
            var settings = RenderSettings(
                prompt: try #require(json["prompt"]?.string),
                seed: try #require(json["seed"]?.string.flatMap { UInt64($0) }))
            (settings.width, settings.height) = (width, height)
            settings.negativePrompt = json["negative"]?.string ?? ""
            settings.steps = json["steps"]?.int
            settings.guidanceScale = json["guidance"]?.double
            settings.clipSkip = json["clip_skip"]?.int ?? 0
            settings.scheduler = json["scheduler"]?.string.flatMap(SchedulerKind.init(rawValue:))
            settings.decoder = json["decoder"]?.string.flatMap(DecoderKind.init(rawValue:))
            settings.initImage = Self.size(json["init"]).map { Pictures.start(width: $0, height: $1) }
            settings.strength = json["strength"]?.double
            settings.mask = Self.size(json["mask"]).map { Pictures.mask(width: $0, height: $1) }
            self.settings = settings
            let offset = try #require(json["offset"]?.int)
            picture = Array(pictures[offset..<offset + width * height * 3])
            let place = json["latents"]?.array?.compactMap(\.int) ?? []
            try #require(place.count == 2)
            self.latents = latents[place[0]..<place[0] + place[1]]
            let kind = settings.mask != nil ? "inpainting" : settings.initImage != nil ? "img2img" : "text"
            testDescription =
                "\(model) \(kind) \(settings.scheduler?.rawValue ?? "own") \(width)x\(height) seed \(settings.seed)"
        }

        private static func size(_ json: JSONValue?) -> (Int, Int)? {
            json?.array.flatMap { $0.count == 2 ? ($0[0].int ?? 0, $0[1].int ?? 0) : nil }
        }
    }

    static let cases: [Case] = {
        do {
            let json = try JSONValue(parsing: [UInt8](ReferenceNumbers.read("pipelines.json")))
            let pictures = [UInt8](try ReferenceNumbers.read("pipelines.rgb"))
            let latents = try ReferenceNumbers.floats("pipelines.f32")
            return try json.array?.map { try Case($0, pictures: pictures, latents: latents) } ?? []
        } catch {
            return []
        }
    }()

    @Test func goldensAreThere() {
        #expect(Self.cases.count == 40)
        #expect(Set(Self.cases.map(\.model)).count == 7)
        #expect(Self.cases.count { $0.settings.initImage != nil && $0.settings.mask == nil } == 10)
        #expect(Self.cases.count { $0.settings.mask != nil } == 5)
        #expect(Set(Self.cases.compactMap(\.settings.scheduler)).count == 8)  // and PNDM as a model's own
    }

    /// The worst of them is far above the 40 dB that the eye is content with.
    @Test(arguments: cases) func paintsWhatDiffusersPaints(_ golden: Case) throws {
        let model = try Models.load(golden.model)
        let pass = Pass(operations: model.operations)
        let render = try Render(model.model, golden.settings, pass)
        let ratio = Render.signalToNoise(render.picture.samples, golden.picture)
        let difference = ReferenceNumbers.difference(render.latents, golden.latents)
        #expect(ratio >= 60)
        #expect(difference < 2e-3)
    }

    // MARK: - The same bytes

    @Test(arguments: [1, 2, 3]) func threadsDontChangeAByte(_ threadCount: Int) throws {
        for golden in Self.cases where golden.settings.seed == 42 || golden.settings.mask != nil {
            let expected = try Render(golden, threadCount: 2)
            let found = try Render(golden, threadCount: threadCount)
            #expect(found.picture == expected.picture, "\(golden.testDescription)")
            #expect(found.latents == expected.latents, "\(golden.testDescription)")
        }
    }

    /// Stops at ever later checkpoints, and goes on from what the last call left.
    @Test func anInterruptedStepCanBeTakenAgain() throws {
        let golden = try #require(Self.cases.first { $0.settings.scheduler == .eulerAncestral })
        // With one thread, how often the checkpoint is called does not depend on luck.
        let model = try Models.load(golden.model, threadCount: 1)
        let expected = try Render(model.model, golden.settings, Pass(operations: model.operations))
        let plan = try model.model.plan(golden.settings)
        let calm = Pass(operations: model.operations)
        let conditioning = try model.model.encodePrompt(plan, calm)
        var denoising = try Denoising(model.model, plan, conditioning, pass: calm)
        var limit = 1
        var interruptions = 0
        while denoising.step < denoising.stepCount {
            let before = (denoising.step, denoising.numbers)
            do throws(Interrupted) {
                _ = try denoising.next(Pass(operations: model.operations, checkpoint: stopping(after: limit)))
                limit = 1
            } catch {
                interruptions += 1
                limit += limit / 2 + 1
                #expect(denoising.step == before.0)
                #expect(denoising.numbers == before.1)
            }
        }
        #expect(interruptions > 3 * denoising.stepCount)
        #expect(denoising.numbers == expected.latents)
        try #expect(denoising.next(calm) == nil)
        try #expect(model.model.decode(denoising.latents, with: plan.decoder, calm) == expected.picture)
    }

    @Test func anInterruptedEncodeOrDecodeChangesNothing() throws {
        let golden = try #require(Self.cases.first { $0.settings.mask != nil })
        // Large enough for layers in several parts, between which there are checkpoints.
        var settings = golden.settings
        (settings.width, settings.height, settings.steps) = (256, 192, 2)
        // With one thread, how often the checkpoint is called does not depend on luck.
        let model = try Models.load(golden.model, threadCount: 1)
        let calm = Pass(operations: model.operations)
        let expected = try Render(model.model, settings, calm)
        let plan = try model.model.plan(settings)
        func interrupted(_ work: (Pass) throws -> Void) throws -> Int {
            var (count, limit) = (0, 1)
            while true {
                do {
                    try work(Pass(operations: model.operations, checkpoint: stopping(after: limit)))
                    return count
                } catch is Interrupted {
                    count += 1
                    limit += limit / 3 + 1
                }
            }
        }
        var conditioning: Conditioning?
        try #expect(interrupted { conditioning = try model.model.encodePrompt(plan, $0) } > 5)
        var picture: EncodedPicture?
        try #expect(interrupted { picture = try model.model.encodePicture(plan, $0) } > 5)
        let made = try #require(conditioning)
        var denoising = try Denoising(model.model, plan, made, picture: picture, pass: calm)
        while try denoising.next(calm) != nil {}
        var decoded: Bitmap?
        try #expect(interrupted { decoded = try model.model.decode(denoising.latents, with: .full, $0) } > 5)
        #expect(decoded == expected.picture)
    }

    @Test func aCopyOfADenoisingGoesOnByItself() throws {
        let golden = try #require(Self.cases.first { $0.settings.scheduler == .lcm })
        let model = try Models.load(golden.model)
        let pass = Pass(operations: model.operations)
        let plan = try model.model.plan(golden.settings)
        let conditioning = try model.model.encodePrompt(plan, pass)
        var first = try Denoising(model.model, plan, conditioning, pass: pass)
        _ = try first.next(pass)
        var second = first
        while try first.next(pass) != nil {}
        #expect(second.step == 1)
        while try second.next(pass) != nil {}
        #expect(first.numbers == second.numbers)
    }

    /// A checkpoint that throws at its `count`-th call.
    private func stopping(after count: Int) -> InterruptionCheck {
        var left = count
        return { () throws(Interrupted) in
            left -= 1
            if left <= 0 { throw Interrupted() }
        }
    }
}

extension Denoising {
    /// The latents' elements.
    fileprivate var numbers: [Float] {
        let pixels = latents.pixels
        return pixels.withUnsafeMutablePointer {
            Array(UnsafeBufferPointer(start: $0, count: pixels.rows * pixels.columns))
        }
    }
}

/// A whole render.
struct Render {
    let latents: [Float]
    /// The latents, as another render can start from them.
    let start: StartLatents
    let picture: Bitmap

    init(_ model: DiffusionModel, _ settings: RenderSettings, _ pass: Pass) throws {
        let plan = try model.plan(settings)
        let conditioning = try model.encodePrompt(plan, pass)
        var denoising = try Denoising(model, plan, conditioning, pass: pass)
        while try denoising.next(pass) != nil {}
        latents = denoising.numbers
        start = denoising.startLatents
        picture = try model.decode(denoising.latents, with: plan.decoder, pass)
    }

    init(_ golden: PipelineTests.Case, threadCount: Int) throws {
        let model = try Models.load(golden.model, threadCount: threadCount)
        try self.init(model.model, golden.settings, Pass(operations: model.operations))
    }

    /// The peak signal-to-noise ratio of 8-bit samples in dB.
    static func signalToNoise(_ found: [UInt8], _ expected: [UInt8]) -> Double {
        guard found.count == expected.count else { return 0 }
        let squares = zip(found, expected).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
        return squares == 0 ? .infinity : 10 * log10(255 * 255 * Double(found.count) / squares)
    }
}

/// The tiny models, each with what computes for it alone: tests run side by side.
struct Models {
    let model: DiffusionModel
    let operations: Operations

    static func load(_ name: String, threadCount: Int = 2) throws -> Models {
        var options = LoadOptions()
        switch name {
        case "sd15": options.tinyDecoder = Fixture.path("models/taesd")
        case "sdxl": options.tinyDecoder = Fixture.path("models/taesdxl")
        default: break
        }
        let operations = Operations(pool: WorkerPool(threadCount: threadCount))
        return Models(
            model: try DiffusionModel.load(
                Fixture.path("models/\(name)"), options: options, operations: operations),
            operations: operations)
    }
}

/// Pictures by formula, the same as in the goldens' script.
enum Pictures {
    static func start(width: Int, height: Int) -> Bitmap {
        var samples: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                samples += [UInt8((5 * x + 3 * y) % 256), UInt8((x * y) % 256), UInt8(255 - (2 * x) % 256)]
            }
        }
        return Bitmap(width: width, height: height, channels: 3, samples: samples)
    }

    static func mask(width: Int, height: Int) -> Bitmap {
        var samples: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                let (dx, dy) = (2 * x - width, 2 * y - height)
                let isInside = dx * dx + dy * dy < width * width / 3
                let value: UInt8 = isInside ? (x % 2 == 0 ? 255 : 200) : (y % 2 == 0 ? 0 : 100)
                samples += [value, value, value]
            }
        }
        return Bitmap(width: width, height: height, channels: 3, samples: samples)
    }
}
