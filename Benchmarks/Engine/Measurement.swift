import BenchmarkSupport
import Llama
import Tensors
import Tokenizers

/// The measurements of one run, on random tokens (as llama-bench has them).
struct Measurement {
    private let options: EngineBenchmark
    private var generator = TokenGenerator(state: 1)

    init(_ options: EngineBenchmark) {
        self.options = options
    }

    mutating func run() throws -> Report {
        let instructionSet = options.instructionSet ?? .best
        let operations = Operations(
            pool: WorkerPool(threadCount: options.threads), instructionSet: instructionSet)
        let loading = Stopwatch()
        let model = try LlamaModel.load(
            options.model, operations: operations, progress: { _ in }, checkpoint: {})
        let load = loading.read()
        let longest = options.depth + max(options.prompt + options.turn, options.generate) + 1
        var cache = model.makeCache(
            capacity: longest, precision: options.cache == "f16" ? .f16 : .q80)
        try fill(&cache, model)
        let prefill = try measurePrefill(model, &cache)
        let decode = try measureDecode(model, &cache)
        let firstToken = try measureFirstToken(model, &cache)
        return Report(
            model: options.model, parameters: model.parameterCount, weightBytes: model.byteCount,
            cacheBytes: cache.byteCount, threads: options.threads,
            instructionSet: "\(instructionSet)", loadSeconds: load.seconds,
            loadProcessorSeconds: load.processorSeconds, prefill: prefill, decode: decode,
            firstToken: firstToken, peakResidentBytes: Stopwatch.peakResidentBytes())
    }

    private mutating func fill(_ cache: inout KVCache, _ model: LlamaModel) throws {
        guard options.depth > 0 else { return }
        _ = try prefill(tokens(options.depth, model), model, &cache)
    }

    private mutating func measurePrefill(
        _ model: LlamaModel, _ cache: inout KVCache
    ) throws -> Report.Regime? {
        guard options.prompt > 0 else { return nil }
        var samples: [Stopwatch.Sample] = []
        for _ in 0...options.repetitions {
            let tokens = tokens(options.prompt, model)
            cache.truncate(to: options.depth)
            let stopwatch = Stopwatch()
            _ = try prefill(tokens, model, &cache)
            samples.append(stopwatch.read())
        }
        return Report.Regime(tokens: options.prompt, Array(samples.dropFirst()))
    }

    private mutating func measureDecode(
        _ model: LlamaModel, _ cache: inout KVCache
    ) throws -> Report.Regime? {
        guard options.generate > 0 else { return nil }
        var samples: [Stopwatch.Sample] = []
        for _ in 0...options.repetitions {
            let tokens = tokens(options.generate, model)
            cache.truncate(to: options.depth)
            let stopwatch = Stopwatch()
            for token in tokens { _ = try model.decode(token, cache: &cache, checkpoint: {}) }
            samples.append(stopwatch.read())
        }
        return Report.Regime(tokens: options.generate, Array(samples.dropFirst()))
    }

    private mutating func measureFirstToken(
        _ model: LlamaModel, _ cache: inout KVCache
    ) throws -> Report.FirstToken? {
        guard options.prompt > 0 else { return nil }
        var cold: [Double] = []
        var warm: [Double] = []
        for _ in 0..<options.repetitions {
            let prompt = tokens(options.prompt, model)
            let turn = tokens(options.turn, model)
            cache.truncate(to: 0)
            cold.append(try timeToToken(prompt, model, &cache))
            cache.truncate(to: cache.sharedPrefix(with: prompt))
            warm.append(try timeToToken(turn, model, &cache))
        }
        return Report.FirstToken(
            coldSeconds: cold.median, warmSeconds: warm.median, newTokens: options.turn)
    }

    /// Seconds from the tokens to the choice of the next one.
    private func timeToToken(_ tokens: [Int32], _ model: LlamaModel, _ cache: inout KVCache) throws -> Double
    {
        let stopwatch = Stopwatch()
        let logits = try prefill(tokens, model, &cache)
        var best = 0
        for index in 1..<logits.columns where logits.floats[index] > logits.floats[best] { best = index }
        return withExtendedLifetime((logits, best)) { stopwatch.read().seconds }
    }

    private func prefill(_ tokens: [Int32], _ model: LlamaModel, _ cache: inout KVCache) throws -> Tensor {
        try model.prefill(tokens, cache: &cache, checkpoint: {}, progress: { _ in })
    }

    private mutating func tokens(_ count: Int, _ model: LlamaModel) -> [Int32] {
        let vocabulary = model.tokenizer.vocabularySize
        return (0..<count).map { _ in Int32.random(in: 0..<Int32(vocabulary), using: &generator) }
    }
}

/// Repeatable random tokens (SplitMix64).
private struct TokenGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
