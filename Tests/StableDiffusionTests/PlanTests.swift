import Foundation
import ImageCodecs
import StrictJSON
import Tensors
import Testing

@testable import StableDiffusion

/// What a plan fills in, and what it refuses before anything runs.
@Suite struct PlanTests {
    private func settings(_ change: (inout RenderSettings) -> Void = { _ in }) -> RenderSettings {
        var settings = RenderSettings(prompt: "a fox", seed: 1)
        change(&settings)
        return settings
    }

    @Test(arguments: [
        ("sd15", SchedulerKind.pndm, 20, 7.5, 64), ("sd2-v", .ddim, 20, 7.5, 32),
        ("sd-turbo", .euler, 4, 0.0, 16), ("sdxl", .euler, 20, 5.0, 32), ("lcm", .lcm, 4, 8.5, 16),
        ("bk-sdm", .pndm, 20, 7.5, 16), ("sdxs", .euler, 4, 0.0, 64),
    ])
    func aModelKnowsItsHabits(
        _ name: String, _ scheduler: SchedulerKind, _ steps: Int, _ guidanceScale: Double, _ side: Int
    ) throws {
        let plan = try Models.load(name).model.plan(settings())
        #expect(plan.scheduler == scheduler && plan.steps == steps)
        #expect(plan.guidanceScale == guidanceScale)
        #expect(plan.width == side && plan.height == side)
        #expect(plan.stepCount == steps + (scheduler == .pndm ? 1 : 0))
        #expect(plan.decoder == (name == "sdxs" ? .tiny : .full))
        #expect(plan.warnings.isEmpty && plan.strength == nil)
    }

    @Test func whatAModelsIndexSaysCountsMoreThanTheHabitsOfItsKind() throws {
        func written(_ json: String) throws -> RenderDefaults.Written {
            try RenderDefaults.Written(
                ConfigFile(JSONValue(parsing: [UInt8](json.utf8)), path: "model_index.json"))
        }
        let said = try written(#"{"_inkling": {"steps": 2, "guidance_scale": 1}}"#)
        let parts = try Models.load("sd2-v").model.parts
        let configuration = try parts.scheduler.configuration()
        let network = parts.network.configuration
        let own = RenderDefaults(configuration, network, isOwnScheduler: true, written: said)
        #expect(own.steps == 2 && own.guidanceScale == 1)
        let other = RenderDefaults(configuration, network, isOwnScheduler: false, written: said)
        #expect(other.steps == 20 && other.guidanceScale == 1)
        #expect(try written("{}") == .nothing)
        for wrong in ["2", #"{"steps": 0}"#, #"{"steps": "two"}"#, #"{"guidance_scale": -1}"#] {
            #expect(throws: StableDiffusionError.self) { try written(#"{"_inkling": \#(wrong)}"#) }
        }
    }

    @Test func aDistilledSchedulerOfTheUsersChoiceTakesFewSteps() throws {
        let model = try Models.load("sd15").model
        let plan = try model.plan(settings { $0.scheduler = .lcm })
        #expect(plan.steps == 4 && plan.guidanceScale == 1)
        let turbo = try Models.load("sd-turbo").model.plan(settings { $0.scheduler = .ddim })
        #expect(turbo.steps == 20 && turbo.guidanceScale == 7.5)
    }

    @Test func withoutGuidanceTheNegativePromptIsNeverEncoded() throws {
        let model = try Models.load("sd15")
        let pass = Pass(operations: model.operations)
        for (scale, isEncoded) in [(7.5, true), (1, false), (0, false)] {
            let plan = try model.model.plan(
                settings {
                    $0.guidanceScale = scale
                    $0.negativePrompt = "a dog"
                })
            let isThere = try model.model.encodePrompt(plan, pass).negative != nil
            #expect(isThere == isEncoded)
            #expect(plan.promptTokens == (isEncoded ? 10 : 5))
        }
        let lcm = try Models.load("lcm")
        let plan = try lcm.model.plan(settings())
        #expect(plan.guidanceScale > 1)
        #expect(try lcm.model.encodePrompt(plan, Pass(operations: lcm.operations)).negative == nil)
    }

    @Test func whatTheTextEncoderDoesntSeeIsQuoted() throws {
        let model = try Models.load("sd15").model
        let long = Array(repeating: "a fox", count: 60).joined(separator: " ") + " and the very last word"
        let plan = try model.plan(
            settings {
                $0.prompt = long
                $0.negativePrompt = long
            })
        #expect(plan.warnings.count == 2)
        let warning = try #require(plan.warnings.first)
        #expect(warning.contains("77") && warning.contains("the very last word”"))
        #expect(plan.promptTokens == 2 * 77)
        let unguided = try model.plan(
            settings {
                $0.negativePrompt = long
                $0.guidanceScale = 1
            })
        #expect(unguided.warnings.isEmpty)
    }

    @Test func aStartPictureGivesItsSize() throws {
        let model = try Models.load("sd15").model
        let picture = Pictures.start(width: 71, height: 50)
        let plan = try model.plan(settings { $0.initImage = picture })
        #expect(plan.width == 64 && plan.height == 48)
        #expect(plan.strength == 0.8 && plan.stepCount == 17)  // PNDM looks twice at the second time
        let masked = try model.plan(
            settings {
                $0.initImage = picture
                $0.mask = picture
                $0.width = 32
            })
        #expect(masked.width == 32 && masked.height == 48 && masked.strength == 1)
        let tiny = try model.plan(settings { $0.initImage = Pictures.start(width: 1, height: 1) })
        #expect(tiny.width == 8 && tiny.height == 8)
    }

    @Test(arguments: ["sd15", "sd-turbo"])
    func aStrengthHasAsManyStepsAsItTakesToBeginWithin(name: String) throws {
        let model = try Models.load(name).model
        let picture = Pictures.start(width: 64, height: 64)
        let usual = try model.plan(settings { $0.scheduler = .euler }).steps
        // 49 times a 49th is less than 1.
        for (strength, fewest) in [(1, 1), (0.8, 2), (0.3, 4), (1.0 / 49, 50), (0.01, 100)] {
            let plan = try model.plan(
                settings { ($0.initImage, $0.strength, $0.scheduler) = (picture, strength, .euler) })
            #expect(plan.steps == max(usual, fewest))
            #expect(plan.stepCount == Int(Double(plan.steps) * strength))
        }
    }

    @Test func sizesAreCheckedWithTheFiguresInTheError() throws {
        let model = try Models.load("sd15").model
        for (width, height) in [(63, 64), (64, 0), (-8, 64), (Int.max, 64), (Int.min, 8)] {
            let asked = settings { ($0.width, $0.height) = (width, height) }
            let error = #expect(throws: StableDiffusionError.self) { try model.plan(asked) }
            #expect(error == .invalidSize(width: width, height: height, factor: 8))
            #expect(error?.description.contains("multiples of 8") == true)
        }
        let large = settings { ($0.width, $0.height) = (Int.max / 8 * 8, 1 << 40) }
        let error = #expect(throws: StableDiffusionError.self) { try model.plan(large) }
        #expect(error?.description.isEmpty == false)
        let asked = settings { ($0.width, $0.height) = (1024, 512) }
        #expect(throws: StableDiffusionError.exceedsPixels(width: 1024, height: 512, limit: 524_287)) {
            try model.plan(asked, limits: RenderLimits(pixels: 524_287))
        }
        #expect(throws: Never.self) { try model.plan(asked, limits: RenderLimits(pixels: 524_288)) }
    }

    @Test func memoryIsCheckedWithTheFiguresInTheError() throws {
        let model = try Models.load("sd15").model
        let small = try model.plan(settings()).memory
        let large = try model.plan(settings { ($0.width, $0.height) = (1024, 1024) }).memory
        #expect(large > small && small > 0)
        let asked = settings { ($0.width, $0.height) = (1024, 1024) }
        let refusal = StableDiffusionError.exceedsMemory(
            width: 1024, height: 1024, needed: large, limit: large - 1)
        #expect(throws: refusal) { try model.plan(asked, limits: RenderLimits(memory: large - 1)) }
        #expect(refusal.description.contains("\((large + 999_999) / 1_000_000) MB"))
        #expect(throws: Never.self) { try model.plan(asked, limits: RenderLimits(memory: large)) }
        // Beyond a megapixel the decoder works in tiles: four times the picture isn't four times the memory.
        let tiled = try model.plan(settings { ($0.width, $0.height) = (2048, 2048) }).memory
        #expect(tiled < 4 * large)
    }

    @Test func settingsOutOfRangeAreRefusedByName() throws {
        let model = try Models.load("sd15").model
        let picture = Pictures.start(width: 64, height: 64)
        let changes: [(String, (inout RenderSettings) -> Void)] = [
            ("steps", { $0.steps = 0 }), ("steps", { $0.steps = -1 }), ("steps", { $0.steps = Int.max }),
            ("steps", { ($0.scheduler, $0.steps) = (.lcm, 51) }),
            ("guidance scale", { $0.guidanceScale = -1 }), ("guidance scale", { $0.guidanceScale = .nan }),
            ("guidance scale", { $0.guidanceScale = .infinity }),
            ("clip skip", { $0.clipSkip = -1 }), ("clip skip", { $0.clipSkip = 4 }),
            ("mask", { $0.mask = picture }), ("strength", { $0.strength = 0.5 }),
            ("strength", { ($0.initImage, $0.strength) = (picture, 0) }),
            ("strength", { ($0.initImage, $0.strength) = (picture, 1.01) }),
            ("strength", { ($0.initImage, $0.strength) = (picture, .nan) }),
            ("strength", { ($0.initImage, $0.strength, $0.steps) = (picture, 0.1, 5) }),
        ]
        for (name, change) in changes {
            let asked = settings(change)
            let error = #expect(throws: StableDiffusionError.self, "\(name)") { try model.plan(asked) }
            guard case .invalidSetting(name, _, _) = error else {
                Issue.record("\(name): \(String(describing: error))")
                continue
            }
        }
        let turbo = try Models.load("sd-turbo").model
        let asked = settings { $0.decoder = .tiny }
        #expect(throws: StableDiffusionError.self) { try turbo.plan(asked) }
    }

    @Test func previewsAreOfTheDecoderThatIsThere() throws {
        for (name, width) in [("sd15", 64), ("sd-turbo", 8)] {
            let model = try Models.load(name)
            let pass = Pass(operations: model.operations)
            let latents = FeatureMap(height: 8, width: 8, pixels: Tensor(rows: 64, columns: 4))
            let preview = try model.model.preview(latents, pass)
            #expect(preview.width == width && preview.height == width)
        }
    }

    @Test func latentsThatAreNoNumbersAreNoPicture() throws {
        let model = try Models.load("sd15")
        let pass = Pass(operations: model.operations)
        let latents = FeatureMap(height: 8, width: 8, pixels: Tensor(rows: 64, columns: 4))
        latents.pixels.floats[17] = .nan
        for decoder in [DecoderKind.full, .tiny] {
            #expect(throws: StableDiffusionError.invalidNumbers) {
                try model.model.decode(latents, with: decoder, pass)
            }
        }
        #expect(throws: Never.self) { try model.model.preview(latents, pass) }
    }
}
