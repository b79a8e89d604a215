import ImageCodecs
import Synchronization
import Tensors
import Testing

@testable import StableDiffusion

/// What renders leave for each other changes no bit of a picture.
@Suite struct RenderMemoryTests {
    static let models = ["sd15", "sd2-v", "sd-turbo", "sdxl", "lcm", "bk-sdm", "sdxs"]
    private static let typed = [
        "a", "a red", "a red fox", "a red fox in the snow", "a red fox", "a blue fox in the snow", "two dogs",
    ]

    /// Of a model for whose renders there is room.
    private static let ampleWeights = 1 << 30

    private static func settings(_ prompt: String) -> RenderSettings {
        var settings = RenderSettings(prompt: prompt, seed: 7)
        (settings.width, settings.height, settings.steps) = (48, 32, 2)
        settings.negativePrompt = "a dog"
        return settings
    }

    @Test(arguments: models)
    func everyTypedTextIsPaintedAsIfItWereTheFirst(_ name: String) throws {
        let model = try Models.load(name)
        let pass = Pass(operations: model.operations)
        var memory = RenderMemory(weights: Self.ampleWeights)
        for text in Self.typed {
            // As a canvas does: a draft with blank padding, then the settled picture.
            for padding in [TextPadding.blank, .encoded] {
                var settings = Self.settings(text)
                settings.textPadding = padding
                let expected = try Render(model.model, settings, pass)
                let found = try Self.render(model.model, settings, &memory, pass)
                #expect(found == expected.latents, "\(text), \(padding)")
            }
        }
        #expect(memory.byteCount > 0)
    }

    @Test(arguments: ["sd15", "sd-turbo", "lcm", "bk-sdm", "sdxs"])
    func whatIsSharedIsTakenFromTheMemory(_ name: String) throws {
        let model = try Models.load(name)
        let pass = Pass(operations: model.operations)
        var memory = RenderMemory(weights: Self.ampleWeights)
        _ = try Self.render(model.model, Self.settings("a red fox"), &memory, pass)

        let plan = try model.model.plan(Self.settings("a red fox"))
        let known = memory.reuse(for: plan)
        #expect(known.conditioning != nil && known.contexts != nil)
        #expect(known.times.count == 1 && known.stems.count == 1 && known.texts.count == 1)

        let other = try model.model.plan(Self.settings("a red house"))
        var reuse = memory.reuse(for: other)
        #expect(reuse.conditioning == nil && reuse.contexts == nil)
        #expect((reuse.negative == nil) == !other.isGuided)
        let conditioning = try model.model.encodePrompt(other, reusing: &reuse, pass)
        var denoising = try Denoising(model.model, other, conditioning, reusing: reuse, pass: pass)
        #expect(denoising.reuse.times[0].shifts[0].pointer == known.times[0].shifts[0].pointer)
        _ = try denoising.next(pass)
        #expect(denoising.reuse.stems.count == 1)
        #expect(denoising.reuse.stems[0].map.pixels.pointer == known.stems[0].map.pixels.pointer)
    }

    @Test func anotherSeedOrSizeHasAStemOfItsOwn() throws {
        let model = try Models.load("sd-turbo")
        let pass = Pass(operations: model.operations)
        var memory = RenderMemory(weights: Self.ampleWeights)
        let changes: [(inout RenderSettings) -> Void] = [
            { _ in }, { $0.seed = 8 }, { $0.width = 64 }, { ($0.width, $0.height) = (32, 48) },
            { $0.steps = 1 },
            { $0.scheduler = .ddim }, { _ in },
        ]
        for change in changes {
            var settings = Self.settings("a red fox")
            change(&settings)
            let expected = try Render(model.model, settings, pass)
            #expect(try Self.render(model.model, settings, &memory, pass) == expected.latents)
        }
    }

    /// A draft in one step, then the same text in more: the draft's step is not taken again, and changes no bit.
    @Test(arguments: ["sd-turbo", "lcm", "sd15", "sdxl"])
    func theFirstStepOfADraftIsTheSettledPicturesToo(_ name: String) throws {
        let model = try Models.load(name)
        let pass = Pass(operations: model.operations)
        var memory = RenderMemory(weights: model.model.info.byteCount)
        var draft = Self.settings("a red fox")
        draft.steps = 1
        _ = try Self.render(model.model, draft, &memory, pass)
        let plan = try model.model.plan(Self.settings("a red fox"))
        var reuse = memory.reuse(for: plan)
        let conditioning = try model.model.encodePrompt(plan, reusing: &reuse, pass)
        var denoising = try Denoising(model.model, plan, conditioning, reusing: reuse, pass: pass)
        while try denoising.next(pass) != nil {}
        #expect(denoising.knewFirstStep == plan.beginsAsOneStep)
        #expect(plan.beginsAsOneStep == ["sd-turbo", "lcm"].contains(name))
        let expected = try Render(model.model, Self.settings("a red fox"), pass)
        #expect(denoising.latents.pixels.elements == expected.latents)
        // Of another text, seed, size or guidance nothing is known.
        let changes: [(inout RenderSettings) -> Void] = [
            { $0.prompt = "a blue fox" }, { $0.seed = 8 }, { ($0.width, $0.height) = (32, 48) },
            { $0.guidanceScale = 3 }, { $0.clipSkip = 1 },
        ]
        for change in changes {
            var settings = Self.settings("a red fox")
            change(&settings)
            let plan = try model.model.plan(settings)
            var reuse = memory.reuse(for: plan)
            let conditioning = try model.model.encodePrompt(plan, reusing: &reuse, pass)
            var denoising = try Denoising(model.model, plan, conditioning, reusing: reuse, pass: pass)
            _ = try denoising.next(pass)
            #expect(!denoising.knewFirstStep)
        }
    }

    @Test func aWarmStartNeitherTakesNorLeavesAStem() throws {
        let model = try Models.load("sd-turbo")
        let pass = Pass(operations: model.operations)
        var memory = RenderMemory(weights: Self.ampleWeights)
        var settings = Self.settings("a red fox")
        let start = try Render(model.model, settings, pass).start
        (settings.startLatents, settings.strength) = (start, 0.5)
        let expected = try Render(model.model, settings, pass)
        for _ in 0..<2 {
            #expect(try Self.render(model.model, settings, &memory, pass) == expected.latents)
            #expect(memory.reuse(for: try model.model.plan(settings)).stems.isEmpty)
        }
    }

    @Test func aStemThatWasMadeBeforeAnInterruptionIsKept() throws {
        let model = try Models.load("sd15")
        let calm = Pass(operations: model.operations)
        let plan = try model.model.plan(Self.settings("a red fox"))
        var denoising = try Denoising(
            model.model, plan, model.model.encodePrompt(plan, calm), pass: calm)
        var limit = 1
        while denoising.reuse.stems.isEmpty {
            let calls = Counter()
            let last = limit
            let pass = Pass(operations: model.operations) { () throws(Interrupted) in
                if calls.next() >= last { throw Interrupted() }
            }
            _ = try? denoising.next(pass)
            limit += 1
        }
        #expect(denoising.step == 0)
        while try denoising.next(calm) != nil {}
        let expected = try Render(model.model, Self.settings("a red fox"), calm)
        #expect(denoising.latents.pixels.elements == expected.latents)
    }

    // MARK: - Text encoders

    /// Every pair of texts, the second one after the first.
    @Test(arguments: models)
    func encodingsGoOnFromTheFirstChangedToken(_ name: String) throws {
        let model = try Models.load(name)
        let pass = Pass(operations: model.operations)
        let parts = model.model.parts
        for skip in 0...min(1, parts.skippableLayers) {
            let fresh = try Self.typed.map { text in
                var states: [TextStates?] = []
                return try parts.encode(parts.tokens(text), skippedLayers: skip, states: &states, pass)
            }
            for (first, text) in Self.typed.enumerated() {
                for (second, other) in Self.typed.enumerated() {
                    var states: [TextStates?] = []
                    _ = try parts.encode(parts.tokens(text), skippedLayers: skip, states: &states, pass)
                    let found = try parts.encode(
                        parts.tokens(other), skippedLayers: skip, states: &states, pass)
                    let expected = fresh[second]
                    #expect(found.context.elements == expected.context.elements, "\(first), \(second)")
                    #expect(found.pooled?.elements == expected.pooled?.elements, "\(first), \(second)")
                    #expect(states.allSatisfy { $0?.layers.allSatisfy { $0.keys.rows == 77 } == true })
                }
            }
        }
    }

    @Test func onlyTheRowsBeforeTheFirstChangeAreKnown() {
        func states(_ tokens: [Int32], _ contextLayers: Int) -> TextStates {
            TextStates(
                tokens: tokens, contextLayers: contextLayers, layers: [], context: Tensor([0]),
                last: Tensor([0]))
        }
        let known = states([1, 2, 3, 9, 9], 4)
        #expect(known.count(of: [1, 2, 4, 9, 9], contextLayers: 4) == 2)
        #expect(known.count(of: [5, 2, 3, 9, 9], contextLayers: 4) == 0)
        #expect(known.count(of: [1, 2, 3, 9, 9], contextLayers: 4) == 4)
        #expect(known.count(of: [1, 2, 3, 9, 9], contextLayers: 3) == 0)
        // One was encoded without its padding.
        #expect(known.count(of: [1, 2, 3, 9], contextLayers: 4) == 3)
        #expect(states([1, 2, 3], 4).count(of: [1, 2, 3, 9, 9], contextLayers: 4) == 3)
    }

    // MARK: - Bounds

    @Test func whatIsKeptIsBounded() throws {
        let model = try Models.load("bk-sdm")
        let pass = Pass(operations: model.operations)
        var memory = RenderMemory(weights: Self.ampleWeights)
        for seed in 0..<12 {
            var settings = Self.settings("a fox \(seed)")
            (settings.seed, settings.steps) = (UInt64(seed), 1)
            _ = try Self.render(model.model, settings, &memory, pass)
        }
        let plan = try model.model.plan(Self.settings("a fox"))
        let stems = memory.reuse(for: plan).stems
        // One for each picture at once, of which a canvas has few.
        #expect(stems.count == 4 && memory.byteCount < memory.byteLimit)
        // As if each were of a large picture.
        var large = RenderMemory(weights: 1 << 30)
        for seed in 0..<6 {
            var reuse = RenderReuse()
            let map = FeatureMap(
                height: 1024, width: 1024, pixels: model.operations.makeTensor(rows: 1 << 20, columns: 4))
            let origin = Stem.Origin(height: 1, width: 1, latents: [Float(seed)], shifts: [])
            reuse.stems = [
                Stem(
                    origin: origin, skips: [], map: map,
                    question: TextQuestion(rows: Tensor([0]), queries: Tensor([0])))
            ]
            large.keep(reuse, of: plan)
            #expect(large.byteCount <= (1 << 30) / 16)
        }
        let kept = large.reuse(for: plan).stems.map(\.origin.latents)
        #expect(kept == [[3], [4], [5]])
    }

    @Test func thousandsOfPromptsTakeNoMoreThanTheFirstFew() throws {
        let model = try Models.load("bk-sdm")
        let pass = Pass(operations: model.operations)
        // Of a model so large that a share has room for more prompts than are kept.
        var memory = RenderMemory(weights: 64 << 20)
        var sizes: [Int] = []
        for number in 0..<3000 {
            let plan = try model.model.plan(Self.settings("a fox and \(number) stars"))
            var reuse = memory.reuse(for: plan)
            let conditioning = try model.model.encodePrompt(plan, reusing: &reuse, pass)
            let denoising = try Denoising(model.model, plan, conditioning, reusing: reuse, pass: pass)
            memory.keep(denoising.reuse, of: plan)
            sizes.append(memory.byteCount)
        }
        let first = sizes[0]
        #expect(sizes.max() == sizes[16], "\(sizes.max() ?? 0) bytes instead of \(sizes[16])")
        #expect(sizes[16] <= 16 * first && sizes[16] <= memory.byteLimit)
        #expect(sizes[7] > sizes[0], "earlier prompts are kept")
    }

    @Test func aSmallModelKeepsLittle() throws {
        let model = try Models.load("bk-sdm")
        let pass = Pass(operations: model.operations)
        var memory = RenderMemory(weights: model.model.info.byteCount)
        for number in 0..<50 {
            _ = try Self.render(model.model, Self.settings("a fox and \(number) stars"), &memory, pass)
            #expect(memory.byteCount <= model.model.info.byteCount * 5 / 16)
        }
    }

    private static func render(
        _ model: DiffusionModel, _ settings: RenderSettings, _ memory: inout RenderMemory, _ pass: Pass
    ) throws -> [Float] {
        let plan = try model.plan(settings)
        var reuse = memory.reuse(for: plan)
        let conditioning = try model.encodePrompt(plan, reusing: &reuse, pass)
        var denoising = try Denoising(model, plan, conditioning, reusing: reuse, pass: pass)
        while try denoising.next(pass) != nil { memory.keep(denoising.reuse, of: plan) }
        return denoising.latents.pixels.elements
    }
}

extension Tensor {
    fileprivate var pointer: UnsafeMutablePointer<Float> { withUnsafeMutablePointer { $0 } }
}
