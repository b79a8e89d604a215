import Foundation
import Tensors
import Testing

@testable import Llama

/// Vectors of texts against transformers' (`Fixtures/make-embedding-goldens.py`).
struct TextEmbeddingTests {
    private struct Golden: Decodable {
        let tokens: [Int32]
        let last: [Float]
        let mean: [Float]
    }

    private static func vector(
        _ tokens: [Int32], _ model: LlamaModel, _ pooling: Pooling? = nil, chunk: Int = 32
    ) throws -> [Float] {
        var text = TextEmbedding(tokens, model: model, pooling: pooling)
        while !text.isDone { try text.advance(by: chunk) }
        return try text.vector()
    }

    @Test(arguments: ["tied", "wide-heads", "llama3-rope", "linear-rope"])
    func vectorsAreThoseOfTransformers(name: String) throws {
        let goldens = try JSONDecoder().decode(
            [String: [Golden]].self, from: ModelFixture.read("embeddings.json"))
        let model = try ModelFixture.model(name)
        #expect(model.pooling == .last)
        for golden in try #require(goldens[name]) {
            #expect(difference(try Self.vector(golden.tokens, model), golden.last) < 1e-4)
            #expect(difference(try Self.vector(golden.tokens, model, .mean), golden.mean) < 1e-4)
        }
    }

    @Test func theFirstStateIsThatOfTheFirstTokenAlone() throws {
        let model = try ModelFixture.model("tied")
        let tokens = try ModelFixture("tied").tokens
        let first = try Self.vector(tokens, model, .first)
        #expect(difference(first, try Self.vector([tokens[0]], model, .last)) < 1e-4)
    }

    @Test func aVectorHasLengthOneAndFewerDimensionsToo() throws {
        let model = try ModelFixture.model("tied")
        var text = TextEmbedding([1, 2, 3], model: model)
        try text.advance(by: 256)
        let whole = try text.vector()
        let part = try text.vector(dimensions: 5)
        #expect(whole.count == model.configuration.hiddenSize && part.count == 5)
        for vector in [whole, part] { #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5) }
        #expect(zip(part, whole).allSatisfy { abs($0 / part[0] - $1 / whole[0]) < 1e-3 })
    }

    @Test func anInterruptedTextGoesOnToTheSameBits() throws {
        let model = try ModelFixture.model("tied")
        let tokens = try ModelFixture("tied").tokens
        for pooling in [Pooling.last, .mean, .first] {
            let expected = try Self.vector(tokens, model, pooling)
            var text = TextEmbedding(tokens, model: model, pooling: pooling)
            try text.advance(by: 32)
            #expect(throws: Interrupted.self) {
                try text.advance(by: 32) { () throws(Interrupted) in throw Interrupted() }
            }
            #expect(text.evaluatedCount == 32)
            while !text.isDone { try text.advance(by: 32) }
            #expect(try text.vector() == expected)
        }
    }
}
