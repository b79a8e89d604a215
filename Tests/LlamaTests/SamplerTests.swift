import Testing

@testable import Llama

/// The sampler against definitions: which tokens can come, how often, and what is refused.
@Suite struct SamplerTests {
    private let logits: [Float] = [1, 3, 2.5, -1, 3, 0, 2, -4]

    @Test func greedyTakesTheFirstOfTheGreatest() throws {
        var sampler = Sampler(.greedy)
        #expect(try sampler.sample(logits) == 1)
        for count in [1, 15, 16, 17, 100, 49_152] {
            for index in Set([0, count / 2, count - 1]) {
                var row = [Float](repeating: -2, count: count)
                row[index] = 0.5
                #expect(try sampler.sample(row) == Int32(index))
            }
        }
    }

    @Test func aSeedRepeatsItsTokens() throws {
        func tokens(_ seed: UInt64) throws -> [Int32] {
            var settings = Sampler.Settings()
            settings.seed = seed
            var sampler = Sampler(settings)
            return try (0..<100).map { _ in try sampler.sample(logits) }
        }
        #expect(try tokens(7) == tokens(7))
        #expect(try tokens(7) != tokens(8))
        #expect(Sampler(Sampler.Settings()).seed != Sampler(Sampler.Settings()).seed)
    }

    /// The reference implementation's first outputs for seed 1234567.
    @Test func randomNumbersAreSplitMix64s() {
        var random = SplitMix64(seed: 1_234_567)
        #expect(
            (0..<3).map { _ in random.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            ])
    }

    @Test func tokensComeAsOftenAsTheirProbabilitiesSay() throws {
        for temperature in [Float(0.5), 1, 2] {
            let counts = try drawn(20_000) { $0.temperature = temperature }
            let weights = logits.map { exponential($0 / temperature) }
            let total = weights.reduce(0, +)
            for (id, weight) in weights.enumerated() {
                let expected = 20_000 * weight / total
                // Five standard deviations.
                #expect(abs(Double(counts[Int32(id)] ?? 0) - expected) < 5 * expected.squareRoot() + 5)
            }
        }
    }

    @Test func topKKeepsTheGreatest() throws {
        #expect(try Set(drawn(2000) { $0.topK = 3 }.keys) == [1, 4, 2])
        #expect(try Set(drawn(2000) { $0.topK = 2 }.keys) == [1, 4])
        #expect(try Set(drawn(100) { $0.topK = 1 }.keys) == [1])
        #expect(try Set(drawn(20_000) { ($0.topK, $0.temperature) = (8, 4) }.keys).count == 8)
    }

    @Test(arguments: [0.1, 0.3, 0.6, 0.7, 0.9, 0.95, 0.99, 0.999]) func topPKeepsTheFewestThatReachTheSum(
        p: Float
    ) throws {
        let expected = Self.nucleus(logits, p)
        #expect(try Set(drawn(20_000) { ($0.topP, $0.temperature) = (p, 5) }.keys) == expected)
        // With top-k the probabilities are those among the k.
        let best: Set<Int32> = [1, 4, 2]
        let among = logits.enumerated().map { best.contains(Int32($0.offset)) ? $0.element : -.infinity }
        let both = try Set(drawn(5000) { ($0.topK, $0.topP, $0.temperature) = (3, p, 5) }.keys)
        #expect(both == Self.nucleus(among, p))
    }

    @Test func atLeastOneTokenIsKept() throws {
        #expect(try Set(drawn(200) { $0.topP = 0 }.keys) == [1])
        #expect(try Set(drawn(200) { ($0.topP, $0.topK) = (0, 5) }.keys) == [1])
        #expect(try Set(drawn(200) { ($0.topP, $0.minP) = (0.01, 1) }.keys) == [1])
    }

    /// Flat logits reach the sum only far down.
    @Test func topPLooksAtAllTokensWhenItMust() throws {
        var row = (0..<40_000).map { Float($0 % 97) * -0.001 }
        row[123] = 9
        let expected = Self.nucleus(row, 0.9)
        #expect(expected.count > 10_000)
        var settings = Sampler.Settings()
        (settings.topP, settings.seed) = (0.9, 3)
        var sampler = Sampler(settings)
        for _ in 0..<200 { #expect(expected.contains(try sampler.sample(row))) }
    }

    @Test func minPDropsWhatIsBelowItsFractionOfTheGreatest() throws {
        // exp(2 - 3) is 0.37, exp(1 - 3) is 0.14.
        #expect(try Set(drawn(5000) { $0.minP = 0.3 }.keys) == [1, 4, 2, 6])
        #expect(try Set(drawn(5000) { $0.minP = 0.13 }.keys) == [1, 4, 2, 6, 0])
        #expect(try Set(drawn(5000) { ($0.minP, $0.topK) = (0.3, 3) }.keys) == [1, 4, 2])
        #expect(try Set(drawn(5000) { ($0.minP, $0.topP) = (0.3, 0.999) }.keys) == [1, 4, 2, 6])
        #expect(try Set(drawn(5000) { $0.minP = 1 }.keys) == [1, 4])
    }

    /// The temperature comes last: it doesn't change which tokens min-p and top-p keep.
    @Test func temperatureComesAfterTheSelections() throws {
        #expect(try Set(drawn(5000) { ($0.minP, $0.temperature) = (0.3, 5) }.keys) == [1, 4, 2, 6])
        #expect(
            try Set(drawn(5000) { ($0.topP, $0.temperature) = (0.3, 5) }.keys) == Self.nucleus(logits, 0.3))
    }

    // MARK: - Bias and penalties

    @Test func biasIsAddedFirst() throws {
        #expect(try Set(drawn(2000) { $0.logitBias = [7: 100] }.keys) == [7])
        let without = try drawn(20_000) { ($0.logitBias, $0.temperature) = ([1: -.infinity, 4: -100], 3) }
        #expect(without[1] == nil && without[4] == nil && without.count == 6)
        #expect(try drawn(100) { ($0.logitBias, $0.temperature) = ([99: 5, -3: 5], 0) }.keys.sorted() == [1])
    }

    @Test func theRepeatPenaltyDividesAndMultiplies() throws {
        // 3 / 1.5 is 2 for tokens 1 and 4: token 2 with 2.5 is now the greatest.
        #expect(try greedy(recent: [1, 4, 4]) { $0.repeatPenalty = 1.5 } == 2)
        // -1 * 2 is -2, so that -1.5 wins.
        #expect(try greedy([-1, -1.5], recent: [0]) { $0.repeatPenalty = 2 } == 1)
    }

    @Test func presenceAndFrequencyAreSubtracted() throws {
        #expect(try greedy(recent: [1, 4]) { $0.presencePenalty = 0.6 } == 2)
        #expect(try greedy(recent: [1, 4]) { $0.presencePenalty = 0.4 } == 1)
        #expect(try greedy(recent: [1, 1, 1]) { $0.frequencyPenalty = 0.1 } == 4)
        #expect(try greedy([1, 0.75], recent: [0, 0, 0]) { $0.frequencyPenalty = 0.1 } == 1)
        #expect(try greedy([1, 0.75], recent: [0, 0]) { $0.frequencyPenalty = 0.1 } == 0)
    }

    @Test func penaltiesLookAtTheLastTokensOnly() throws {
        let recent: [Int32] = [1, 0, 0, 0]
        #expect(try greedy(recent: recent) { ($0.presencePenalty, $0.repeatLastN) = (1, 3) } == 1)
        #expect(try greedy(recent: recent) { ($0.presencePenalty, $0.repeatLastN) = (1, 4) } == 4)
        #expect(try greedy(recent: recent) { ($0.presencePenalty, $0.repeatLastN) = (1, -1) } == 4)
        #expect(try greedy(recent: recent) { ($0.presencePenalty, $0.repeatLastN) = (1, 0) } == 1)
    }

    @Test func penaltiesAreForgottenBetweenTokens() throws {
        var settings = Sampler.Settings.greedy
        settings.frequencyPenalty = 10
        var sampler = Sampler(settings)
        #expect(try sampler.sample(logits, recent: [1]) == 4)
        #expect(try sampler.sample(logits, recent: [4]) == 1)
        #expect(try sampler.sample([0, 1, 2], recent: [2]) == 1)
    }

    // MARK: - Refusals

    @Test(arguments: [Float.nan, .infinity, -.nan], [0, 5, 17, 30]) func invalidNumbersAreRefused(
        _ value: Float, at index: Int
    ) {
        var row = (0..<31).map { Float($0) }
        row[index] = value
        for change in Self.variants {
            var settings = Sampler.Settings()
            change(&settings)
            var sampler = Sampler(settings)
            #expect(throws: LlamaError.invalidNumbers) { try sampler.sample(row, recent: [1]) }
        }
    }

    @Test func whereEveryTokenIsBannedNoneIsPicked() {
        var settings = Sampler.Settings()
        settings.logitBias = [0: -.infinity, 1: -.infinity]
        var sampler = Sampler(settings)
        #expect(throws: LlamaError.invalidNumbers) { try sampler.sample([1, 2]) }
        var plain = Sampler(.greedy)
        #expect(throws: LlamaError.invalidNumbers) { try plain.sample([-Float.infinity, -.infinity]) }
        #expect(throws: LlamaError.invalidNumbers) { try plain.sample([]) }
    }

    private static let variants: [@Sendable (inout Sampler.Settings) -> Void] = [
        { $0.temperature = 0 }, { $0.topK = 4 }, { $0.topP = 0.5 }, { $0.minP = 0.5 }, { _ in },
        { $0.logitBias = [2: -.infinity] }, { $0.presencePenalty = 1 },
    ]

    // MARK: - Log-probabilities

    @Test func logProbabilitiesAreLogSoftmax() throws {
        try logits.withUnsafeBufferPointer { row in
            let probabilities = try LogProbabilities(row)
            let total = logits.map { exponential($0) }.reduce(0, +)
            for (id, logit) in logits.enumerated() {
                let share = exponential(probabilities[Int32(id)])
                #expect(abs(share - exponential(logit) / total) < 1e-6)
            }
            #expect(probabilities.top(3).map(\.id) == [1, 4, 2])
            #expect(probabilities.top(3)[2].logprob == probabilities[2])
            #expect(probabilities.top(0).isEmpty && probabilities.top(100).count == 8)
            #expect(probabilities[99] == -.infinity && probabilities[-1] == -.infinity)
        }
        #expect(throws: LlamaError.invalidNumbers) {
            _ = try [Float.nan, 1].withUnsafeBufferPointer { row in try LogProbabilities(row)[0] }
        }
    }

    @Test func theGreatestComeInOrderOfLogitThenId() {
        var random = SplitMix64(seed: 5)
        for size in [1, 7, 100, 3000] {
            let row = (0..<size).map { _ in Float(random.next() % 50) }
            let sorted = row.enumerated().map { Candidate(logit: $0.element, id: Int32($0.offset)) }
                .sorted(by: Candidate.precedes)
            for count in [0, 1, 2, 20, size, size + 5] {
                var best: [Candidate] = []
                row.withUnsafeBufferPointer { Logits.greatest(count, of: $0, into: &best) }
                #expect(best == Array(sorted.prefix(count)))
            }
        }
    }

    // MARK: - Helpers

    /// How often each token came in `count` draws.
    private func drawn(_ count: Int, _ change: (inout Sampler.Settings) -> Void) throws -> [Int32: Int] {
        var settings = Sampler.Settings()
        settings.seed = 42
        change(&settings)
        var sampler = Sampler(settings)
        var counts: [Int32: Int] = [:]
        for _ in 0..<count { counts[try sampler.sample(logits), default: 0] += 1 }
        return counts
    }

    private func greedy(
        _ row: [Float]? = nil, recent: [Int32], _ change: (inout Sampler.Settings) -> Void
    ) throws -> Int32 {
        var settings = Sampler.Settings.greedy
        change(&settings)
        var sampler = Sampler(settings)
        return try sampler.sample(row ?? logits, recent: recent)
    }

    /// Top-p by sorting everything.
    private static func nucleus(_ row: [Float], _ p: Float) -> Set<Int32> {
        let order = row.indices.sorted { (row[$0], -$0) > (row[$1], -$1) }
        let highest = row.max() ?? 0
        let total = row.map { exponential($0 - highest) }.reduce(0, +)
        var kept: Set<Int32> = []
        var sum = 0.0
        for id in order where sum < Double(p) * total {
            kept.insert(Int32(id))
            sum += exponential(row[id] - highest)
        }
        return kept
    }
}
