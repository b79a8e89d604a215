import AssistantAPI
import Digest
import FoundationEssentials
import ImageCodecs
import StableDiffusion
import Testing

@testable import Assistant

struct PicturePlanTests {
    private let model = ModelFile(name: "m", path: "/m", kind: .picture)

    private func plan(
        _ info: DiffusionModelInfo = ScriptedPainter().info, folder: String = "/nowhere",
        change: (inout PictureRequest) -> Void
    ) throws -> PicturePlan {
        var request = PictureRequest(prompt: "p")
        change(&request)
        return try PicturePlan(
            request, model: model, info: info,
            catalog: ModelCatalog(directories: [folder], defaultModel: nil), seed: 99)
    }

    @Test func everyPictureHasASeedOfItsOwn() throws {
        let plan = try plan { ($0.seed, $0.count) = (.max, 3) }
        #expect((0..<3).map { plan.settings(of: $0).seed } == [.max, 0, 1])
        #expect(try self.plan { _ in }.settings(of: 0).seed == 99)
    }

    @Test func previewsAreSpreadOverTheSteps() throws {
        let plan = try plan { $0.partialImages = 3 }
        #expect(plan.previewSteps(of: 20) == [5, 10, 15])
        #expect(plan.previewSteps(of: 4) == [1, 2, 3])
        // Fewer where there are fewer steps, and none that would be the picture itself.
        #expect(plan.previewSteps(of: 2) == [1])
        #expect(plan.previewSteps(of: 1) == [])
        #expect(try self.plan { $0.partialImages = 0 }.previewSteps(of: 20) == [])
    }

    @Test func theRecipeSaysWhatTheStartPictureWas() throws {
        let file = Data(
            try PNG.encode(Bitmap(width: 2, height: 2, channels: 3, samples: .init(repeating: 9, count: 12))))
        let plan = try plan { ($0.initImage, $0.mask, $0.strength) = (file, file, 0.5) }
        #expect(plan.settings(of: 0).initImage?.samples.first == 9)
        #expect(plan.initImageHash == SHA256.hexadecimal(of: file))
        #expect(plan.mask?.hash == plan.initImageHash)
    }

    @Test func aStartPictureThatWasReadBeforeIsNotReadAgain() throws {
        let file = Data(
            try PNG.encode(Bitmap(width: 2, height: 2, channels: 3, samples: .init(repeating: 9, count: 12))))
        let start = try StartPicture(file)
        var request = PictureRequest(prompt: "p")
        // Nobody could read it.
        (request.initImage, request.strength) = (Data("no picture".utf8), 0.5)
        let plan = try PicturePlan(
            request, model: model, info: ScriptedPainter().info,
            catalog: ModelCatalog(directories: ["/nowhere"], defaultModel: nil), start: start, seed: 1)
        #expect(plan.settings(of: 0).initImage == start.bitmap)
        #expect(plan.initImageHash == SHA256.hexadecimal(of: file))
    }

    /// A file of two pixels in a row, the second of which may be transparent.
    private func file(alpha: UInt8) throws -> Data {
        let samples: [UInt8] = [9, 9, 9, 255, 9, 9, 9, alpha]
        return Data(try PNG.encode(Bitmap(width: 2, height: 1, channels: 4, samples: samples)))
    }

    @Test func whatIsTransparentIsPaintedAnewWhereThatIsTheMask() throws {
        let (clear, faint) = (try file(alpha: 0), try file(alpha: 1))
        let rest: [UInt8] = [0, 0, 0, 255, 255, 255]
        let cases: [(image: Data, mask: Data?, expected: Data?)] = [
            (faint, clear, clear), (clear, nil, clear), (faint, nil, nil),
        ]
        for (image, mask, expected) in cases {
            let plan = try plan { ($0.initImage, $0.mask, $0.maskChannel) = (image, mask, .alpha) }
            #expect(plan.settings(of: 0).mask?.samples == (expected == nil ? nil : rest))
            #expect(plan.mask?.hash == expected.map { SHA256.hexadecimal(of: $0) })
        }
        let error = #expect(throws: AssistantError.self) {
            try plan { ($0.initImage, $0.mask, $0.maskChannel) = (clear, faint, .alpha) }
        }
        #expect(error?.parameter == "mask" && error?.message.contains("alpha 0") == true)
        // By lightness transparency means nothing.
        let light = try plan { ($0.initImage, $0.mask) = (clear, clear) }
        #expect(light.settings(of: 0).mask?.samples == [9, 9, 9, 255, 9, 9, 9, 0])
        #expect(try plan { $0.initImage = clear }.mask == nil)
        let alone = #expect(throws: AssistantError.self) { try plan { $0.maskChannel = .alpha } }
        #expect(alone?.parameter == "mask_channel")
    }

    @Test func lorasAndTinyDecodersAreFoundBesideTheModels() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/inkling-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for file in ["loras/ink.safetensors", "wash.safetensors", "taesd/config.json", "taesdxl.safetensors"]
        {
            let path = URL(filePath: "\(folder)/\(file)")
            try FileManager.default.createDirectory(
                at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data().write(to: path)
        }
        let names = ["ink", "wash.safetensors", folder + "/wash.safetensors"]
        let plan = try plan(folder: folder) { $0.loras = names.map { .init(name: $0, weight: 0.5) } }
        #expect(
            plan.options.loras.map(\.path)
                == ["loras/ink.safetensors", "wash.safetensors", "wash.safetensors"].map { "\(folder)/\($0)" }
        )
        let catalog = ModelCatalog(directories: [folder], defaultModel: nil)
        #expect(catalog.tinyDecoder("taesd") == folder + "/taesd")
        #expect(catalog.tinyDecoder("taesdxl") == folder + "/taesdxl.safetensors")
        #expect(catalog.tinyDecoder("none") == nil)
        for name in ["../loras/ink", "none", "/dev/zero", folder + "/none.safetensors"] {
            let error = #expect(throws: AssistantError.self) {
                try self.plan(folder: folder) { $0.loras = [.init(name: name)] }
            }
            #expect(error?.parameter == "loras")
        }
    }

    private static let wrong: [(field: String, change: @Sendable (inout PictureRequest) -> Void)] = [
        ("guidance_scale", { $0.guidanceScale = .nan }), ("guidance_scale", { $0.guidanceScale = -1 }),
        ("strength", { $0.strength = .nan }), ("strength", { $0.strength = 1.01 }),
        ("clip_skip", { $0.clipSkip = -1 }), ("partial_images", { $0.partialImages = 4 }),
        ("quality", { $0.quality = 101 }), ("height", { $0.height = 12 }), ("width", { $0.width = 0 }),
        ("decoder", { $0.decoder = "huge" }), ("prediction", { $0.prediction = "noise" }),
        ("prompt", { $0.prompt = String(repeating: "x", count: 70_000) }),
        ("loras", { $0.loras = [.init(name: "x", weight: 11)] }), ("strength", { $0.strength = 0.5 }),
    ]

    @Test func whatIsOutOfRangeIsNamed() {
        for (field, change) in Self.wrong {
            let error = #expect(throws: AssistantError.self) { try plan(change: change) }
            #expect(error?.parameter == field)
            #expect(error?.code == .invalidRequest)
        }
    }

    @Test func theParametersAreInTheFormThatOthersRead() {
        var recipe = Recipe(
            model: "/models/dream shaper.safetensors", prompt: "a fox\nreading",
            negativePrompt: "blurry, dark",
            width: 512, height: 768, steps: 20, seed: 42, scheduler: "dpmpp_2m_karras", guidanceScale: 7,
            decoder: "full")
        #expect(
            recipe.parametersText == """
                a fox
                reading
                Negative prompt: blurry, dark
                Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 42, Size: 512x768, Model: dream shaper, \
                Version: Inkling \(Inkling.version)
                """)
        recipe.negativePrompt = ""
        (recipe.clipSkip, recipe.strength, recipe.decoder) = (1, 0.75, "tiny")
        (recipe.model, recipe.scheduler, recipe.guidanceScale) = ("a, \"b\": c", "tcd", 1.5)
        recipe.loras = [.init(name: "/l/ink.safetensors", weight: 0.5)]
        #expect(
            recipe.parametersText == #"""
                a fox
                reading <lora:ink:0.5>
                Steps: 20, Sampler: TCD, CFG scale: 1.5, Seed: 42, Size: 512x768, Model: "a, \"b\": c", \#
                Clip skip: 2, Denoising strength: 0.75, Decoder: tiny, Version: Inkling \#(Inkling.version)
                """#)
    }
}
