import Tensors
import Testing

@testable import StableDiffusion

/// How far texts are from each other, and which are the same to a model.
@Suite struct PromptDistanceTests {
    /// Rows that the text has after the first, each along one of the axes, and the padding's.
    private func embedding(_ axes: [Int], paddedWith pad: Int = 0) -> PromptEmbedding {
        let rows = 8
        let context = Tensor(rows: rows, columns: 10)
        for row in 0..<rows {
            let axis = row == 0 ? 9 : row <= axes.count ? axes[row - 1] : pad
            context[row].floats[axis] = Float(row + 1)
        }
        return PromptEmbedding(context: context, length: axes.count + 1, pooled: nil)
    }

    @Test func theSameTextsAreNoDistanceApart() {
        #expect(embedding([1, 2, 3]).distance(to: embedding([1, 2, 3])) == 0)
        #expect(embedding([1, 2, 3]).distance(to: embedding([3, 1, 2])) < 1e-6)
        #expect(embedding([]).distance(to: embedding([])) == 0)
    }

    @Test func whatIsNotSharedCounts() {
        let text = embedding([1, 2, 3, 4])
        let close = { (found: Double, expected: Double) in abs(found - expected) < 1e-6 }
        #expect(close(text.distance(to: embedding([1, 2, 5, 4])), 0.25))
        #expect(close(text.distance(to: embedding([5, 1, 2, 3, 4])), 0.1))
        #expect(close(embedding([5, 1, 2, 3, 4]).distance(to: text), 0.1))
        #expect(close(text.distance(to: embedding([5, 6, 7, 8])), 1))
        #expect(close(text.distance(to: embedding([1, 2, 3, 4], paddedWith: 8)), 0))
    }

    @Test func ofBothPromptsTheGreaterDistanceCounts() {
        let (a, b) = (embedding([1, 2]), embedding([1, 3]))
        let plain = Conditioning(prompt: a, negative: nil)
        #expect(plain.distance(to: Conditioning(prompt: b, negative: nil)) == a.distance(to: b))
        #expect(plain.distance(to: Conditioning(prompt: a, negative: b)) == 1)
        let first = Conditioning(prompt: a, negative: a)
        #expect(first.distance(to: Conditioning(prompt: a, negative: b)) == a.distance(to: b))
    }

    @Test(arguments: ["sd15", "sdxl", "sd-turbo"])
    func aChangedWordIsNearerThanAnotherText(_ name: String) throws {
        let model = try Models.load(name)
        let pass = Pass(operations: model.operations)
        let texts = [
            "a red fox in the snow", "a red fox in the snow", "a red fox in snow", "two green houses",
        ]
        let conditionings = try texts.map { text in
            try model.model.encodePrompt(model.model.plan(RenderSettings(prompt: text, seed: 1)), pass)
        }
        let distances = conditionings.map { conditionings[0].distance(to: $0) }
        #expect(distances[0] == 0 && distances[1] == 0)
        #expect(distances[1] < distances[2] && distances[2] < distances[3])
    }

    @Test func textsOfTheSameTokensAreTheSame() throws {
        let model = try Models.load("sd15").model
        func tokens(_ prompt: String, _ negative: String = "") throws -> PromptTokens {
            var settings = RenderSettings(prompt: prompt, seed: 1)
            settings.negativePrompt = negative
            return try model.plan(settings).tokens
        }
        let fox = try tokens("a fox")
        #expect(try tokens("A  Fox ") == fox && tokens("a fox").ids == fox.ids && fox.ids.count == 77)
        #expect(try tokens("a foxes") != fox)
        #expect(try tokens("a fox", "a dog") != fox)
        // A blank one is encoded, none at all may be zeros.
        #expect(try tokens("a fox", " ") != fox)
    }
}
