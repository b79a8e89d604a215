import Tensors
import Testing

@testable import StableDiffusion

/// A prompt's own rows with the padding of no prompt behind them.
@Suite struct TextPaddingTests {
    private static func conditioning(
        _ prompt: String, _ padding: TextPadding, _ model: DiffusionModel, _ pass: Pass
    ) throws -> (plan: RenderPlan, made: Conditioning) {
        var settings = RenderSettings(prompt: prompt, seed: 7)
        (settings.width, settings.height, settings.steps) = (48, 32, 1)
        settings.textPadding = padding
        let plan = try model.plan(settings)
        return (plan, try model.encodePrompt(plan, pass))
    }

    @Test(arguments: RenderMemoryTests.models)
    func onlyThePaddingIsThatOfNoPrompt(_ name: String) throws {
        let model = try Models.load(name)
        let pass = Pass(operations: model.operations)
        let own = try Self.conditioning("a red fox", .encoded, model.model, pass).made.prompt
        let none = try Self.conditioning("", .encoded, model.model, pass).made.prompt
        let (plan, made) = try Self.conditioning("a red fox", .blank, model.model, pass)
        let found = made.prompt
        #expect(found.length == own.length && found.length < 77)
        #expect(found.pooled?.elements == own.pooled?.elements)
        for row in 0..<77 {
            let expected = row < own.length ? own : none
            #expect(found.context[row].elements == expected.context[row].elements, "\(row)")
        }
        // What the network looks at is what it would make of these rows.
        let denoising = try Denoising(model.model, plan, made, pass: pass)
        let whole = try model.model.parts.network.context(found.context, pass).keysAndValues
        let joined = try #require(denoising.reuse.contexts).prompt.keysAndValues
        for (found, expected) in zip(joined, whole) {
            for (found, expected) in [(found.keys, expected.keys), (found.values, expected.values)] {
                #expect(found.rows == 77 && difference(found.elements, expected.elements) < 1e-5)
            }
        }
    }

    @Test func aPromptWithoutRoomForPaddingIsTheSameEitherWay() throws {
        let model = try Models.load("sd15")
        let pass = Pass(operations: model.operations)
        let long = String(repeating: "fox ", count: 90)
        let own = try Self.conditioning(long, .encoded, model.model, pass).made.prompt
        let found = try Self.conditioning(long, .blank, model.model, pass).made.prompt
        #expect(found.context.elements == own.context.elements)
    }

    @Test func noPromptAtAllIsTheSameEitherWay() throws {
        let model = try Models.load("sd-turbo")
        let pass = Pass(operations: model.operations)
        let own = try Self.conditioning("", .encoded, model.model, pass).made.prompt
        let found = try Self.conditioning("", .blank, model.model, pass).made.prompt
        #expect(found.context.elements == own.context.elements)
    }
}
