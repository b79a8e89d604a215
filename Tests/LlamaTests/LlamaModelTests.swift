import Tensors
import Testing

@testable import Llama

/// The network against transformers' float32 logits, and against itself.
@Suite struct LlamaModelTests {
    /// The allowed difference, as a fraction of the logits' range.
    ///
    /// Quantised weights multiply rounded activations, which are exact in the reference.
    struct Case: CustomTestStringConvertible {
        let golden: String
        let file: String
        let tolerance: Float
        var testDescription: String { file }
    }

    static let cases = [
        Case(golden: "tied", file: "tied", tolerance: 1e-4),
        Case(golden: "tied", file: "tied.gguf", tolerance: 1e-4),
        Case(golden: "wide-heads", file: "wide-heads", tolerance: 1e-4),
        Case(golden: "wide-heads-f16", file: "wide-heads-f16.gguf", tolerance: 1e-4),
        Case(golden: "llama3-rope", file: "llama3-rope", tolerance: 1e-4),
        Case(golden: "llama3-rope", file: "llama3-rope.gguf", tolerance: 1e-4),
        Case(golden: "linear-rope", file: "linear-rope", tolerance: 1e-4),
        Case(golden: "linear-rope", file: "linear-rope.gguf", tolerance: 1e-4),
        Case(golden: "q4_0", file: "q4_0.gguf", tolerance: 1e-3),
        Case(golden: "q4_1", file: "q4_1.gguf", tolerance: 1e-3),
        Case(golden: "q5_0", file: "q5_0.gguf", tolerance: 1e-3),
        Case(golden: "q5_1", file: "q5_1.gguf", tolerance: 1e-3),
        Case(golden: "q8_0", file: "q8_0.gguf", tolerance: 1e-3),
        Case(golden: "k-quants", file: "k-quants.gguf", tolerance: 1e-3),
    ]
    static let files = ["tied", "wide-heads", "llama3-rope.gguf", "q4_1.gguf", "k-quants.gguf"]

    @Test(arguments: cases) func logitsAreTheReferences(_ test: Case) throws {
        let fixture = try ModelFixture(test.golden)
        let model = try ModelFixture.model(test.file)
        let rows = try allLogits(model, fixture.tokens)
        for (position, expected) in zip(fixture.positions, fixture.logits) {
            let found = difference(rows[position], expected)
            #expect(found < test.tolerance, "position \(position): \(found) of the range")
        }
    }

    @Test(arguments: files) func prefillEqualsStepwiseDecode(_ file: String) throws {
        let model = try ModelFixture.model(file)
        let tokens = try ModelFixture("tied").tokens
        var whole = model.makeCache(capacity: tokens.count)
        let prefilled = try model.prefill(tokens, cache: &whole)
        var stepwise = model.makeCache(capacity: tokens.count)
        var last: Tensor?
        for token in tokens { last = try model.decode(token, cache: &stepwise) }
        #expect(whole.tokens == tokens && stepwise.tokens == tokens)
        #expect(difference(try #require(last).values, prefilled.values) < 1e-3)
    }

    @Test(arguments: files) func theLastOfAllLogitsAreThoseOfPrefill(_ file: String) throws {
        let model = try ModelFixture.model(file)
        let tokens = try ModelFixture("tied").tokens
        var cache = model.makeCache(capacity: tokens.count)
        let last = try model.prefill(tokens, cache: &cache)
        #expect(difference(try allLogits(model, tokens).last ?? [], last.values) < 1e-3)
    }

    @Test(arguments: files) func resultsAreTheSameBitsAtAnyThreadCount(_ file: String) throws {
        let tokens = long
        let runs = try [1, 2, 3, 5].map { threads in
            let model = try ModelFixture.model(file, threads: threads)
            var cache = model.makeCache(capacity: tokens.count + 8)
            var bits = try model.prefill(tokens, cache: &cache).values.map(\.bitPattern)
            for token in tokens.prefix(8) {
                bits += try model.decode(token, cache: &cache).values.map(\.bitPattern)
            }
            return bits
        }
        for run in runs { #expect(run == runs[0]) }
    }

    /// Interrupts a prefill of three chunks at many places; each time it goes on from what is finished.
    @Test(arguments: files, [1, 3]) func anInterruptedPrefillGoesOnWithTheSameBits(
        _ file: String, threads: Int
    ) throws {
        let model = try ModelFixture.model(file, threads: threads)
        var calls = 0
        var cache = model.makeCache(capacity: long.count)
        let expected = try model.prefill(long, cache: &cache, checkpoint: { calls += 1 }).values
        #expect(calls >= 3 * model.configuration.layerCount)
        var interruptions = 0
        for stop in stride(from: 1, to: calls, by: max(1, calls / 12)) {
            var cache = model.makeCache(capacity: long.count)
            var left = stop
            do throws(Interrupted) {
                _ = try model.prefill(
                    long, cache: &cache,
                    checkpoint: { () throws(Interrupted) in
                        left -= 1
                        if left == 0 { throw Interrupted() }
                    })
                continue  // with several threads the number of calls varies
            } catch {
                interruptions += 1
            }
            #expect(cache.position.isMultiple(of: LlamaModel.chunkLength) && cache.position < long.count)
            #expect(cache.tokens == Array(long.prefix(cache.position)))
            let rest = Array(long[cache.position...])
            #expect(try model.prefill(rest, cache: &cache).values == expected, "stopped at call \(stop)")
        }
        #expect(interruptions >= (threads == 1 ? min(calls - 1, 8) : 1))
    }

    @Test func anInterruptedDecodeLeavesTheCacheAsItWas() throws {
        let model = try ModelFixture.model("tied")
        var cache = model.makeCache(capacity: 16)
        _ = try model.prefill([1, 2, 3], cache: &cache)
        #expect(throws: Interrupted.self) {
            try model.decode(4, cache: &cache, checkpoint: { () throws(Interrupted) in throw Interrupted() })
        }
        #expect(cache.tokens == [1, 2, 3])
    }

    @Test func progressCountsTheTokensOfFinishedChunks() throws {
        let model = try ModelFixture.model("tied")
        var cache = model.makeCache(capacity: 1000)
        _ = try model.prefill(Array(long.prefix(100)), cache: &cache)
        var steps: [Int] = []
        _ = try model.prefill(long, cache: &cache, progress: { steps.append($0) })
        // Chunks end where positions are multiples of their length, whatever the cache held before.
        #expect(steps == [156, 412, long.count])
    }

    // MARK: - Cache

    @Test(arguments: files) func aTruncatedCacheGrowsAgainToTheSameBits(_ file: String) throws {
        let model = try ModelFixture.model(file)
        var cache = model.makeCache(capacity: 300)
        _ = try model.prefill(Array(long.prefix(20)), cache: &cache)
        let first = try model.prefill(Array(long[20..<120]), cache: &cache).values
        for other in [Int32(7), 8] { _ = try model.decode(other, cache: &cache) }
        cache.truncate(to: 20)
        #expect(cache.tokens == Array(long.prefix(20)))
        #expect(try model.prefill(Array(long[20..<120]), cache: &cache).values == first)
    }

    @Test(
        arguments: ["q4_1.gguf", "k-quants.gguf"], [[40], [2, 4, 90], [256, 300, 393], [255, 257, 398]])
    func aPromptOfQuantisedWeightsHasTheSameBitsInPiecesOfTwoTokensOrMore(_ file: String, ends: [Int]) throws
    {
        let model = try ModelFixture.model(file)
        let prompt = (0..<400).map { long[$0 % long.count] }
        var whole = model.makeCache(capacity: 400)
        _ = try model.prefill(Array(prompt.prefix(256)), cache: &whole)
        let expected = try model.prefill(Array(prompt[256...]), cache: &whole).values
        var pieces = model.makeCache(capacity: 400)
        var last: [Float] = []
        for end in ends + [400] {
            last = try model.prefill(Array(prompt[pieces.position..<end]), cache: &pieces).values
        }
        #expect(last == expected)
    }

    @Test func aCopiedPrefixGoesOnWithTheSameBits() throws {
        let model = try ModelFixture.model("wide-heads")
        var original = model.makeCache(capacity: 100)
        _ = try model.prefill(Array(long.prefix(40)), cache: &original)
        var copy = model.makeCache(capacity: 60)
        copy.copyPrefix(from: original, count: 30)
        original.truncate(to: 30)
        let ids = Array(long[50..<60])
        #expect(try model.prefill(ids, cache: &copy).values == model.prefill(ids, cache: &original).values)
        #expect(copy.tokens == original.tokens)
    }

    @Test func sharedPrefixEndsAtTheFirstDifference() throws {
        let model = try ModelFixture.model("tied")
        var cache = model.makeCache(capacity: 10)
        _ = try model.prefill([5, 6, 7], cache: &cache)
        #expect(cache.sharedPrefix(with: [5, 6, 8, 7]) == 2)
        #expect(cache.sharedPrefix(with: [5, 6, 7, 8]) == 3)
        #expect(cache.sharedPrefix(with: [1]) == 0)
    }

    @Test(arguments: files) func anEightBitCacheIsCloseToSixteenBits(_ file: String) throws {
        let model = try ModelFixture.model(file)
        let rows = try [AttentionCache.Precision.f16, .q80].map { precision in
            var cache = model.makeCache(capacity: 96, precision: precision)
            return try model.prefill(Array(long.prefix(96)), cache: &cache).values
        }
        #expect(rows[0] != rows[1])
        #expect(difference(rows[1], rows[0]) < 0.02)
    }

    @Test func anEightBitCacheTakesLessMemory() throws {
        // A head of 24 elements is stored as 32 either way.
        let model = try ModelFixture.model("wide-heads")
        let bytes = try [AttentionCache.Precision.f16, .q80].map { precision in
            var cache = model.makeCache(capacity: 96, precision: precision)
            #expect(cache.byteCount == 0)
            _ = try model.prefill(Array(long.prefix(96)), cache: &cache)
            return cache.byteCount
        }
        #expect(bytes[0] == 2 * 2 * 96 * 32 * 2)
        #expect(bytes[1] < bytes[0] * 6 / 10)
    }

    // MARK: - Helpers

    /// More than two chunks of tokens.
    private let long: [Int32] = (0..<600).map { Int32(($0 * 31 + $0 / 9) % 260) }

    private func allLogits(_ model: LlamaModel, _ tokens: [Int32]) throws -> [[Float]] {
        var cache = model.makeCache(capacity: tokens.count)
        var rows: [[Float]] = []
        try model.prefillAllLogits(tokens, cache: &cache) { index, logits in
            #expect(index == rows.count)
            rows.append(logits.values)
        }
        #expect(cache.tokens == tokens)
        return rows
    }
}
