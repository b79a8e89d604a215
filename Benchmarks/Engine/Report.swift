import BenchmarkSupport

/// What one run measured; times are wall-clock seconds.
struct Report: Encodable {
    /// One regime, measured several times.
    struct Regime: Encodable {
        /// Tokens of one measurement.
        let tokens: Int
        let seconds: [Double]
        /// Processor seconds of all threads, measured with each of `seconds`.
        let processorSeconds: [Double]
        /// Of the median measurement.
        let tokensPerSecond: Double

        init(tokens: Int, _ samples: [Stopwatch.Sample]) {
            self.tokens = tokens
            seconds = samples.map(\.seconds)
            processorSeconds = samples.map(\.processorSeconds)
            let median = seconds.median
            tokensPerSecond = median > 0 ? Double(tokens) / median : 0
        }
    }

    /// From a finished prompt's tokens to the first token of the answer.
    struct FirstToken: Encodable {
        /// The median with nothing in the cache.
        let coldSeconds: Double
        /// The median with the prompt in the cache and `newTokens` behind it.
        let warmSeconds: Double
        let newTokens: Int
    }

    let model: String
    let parameters: Int
    let weightBytes: Int
    let cacheBytes: Int
    let threads: Int
    let instructionSet: String
    let loadSeconds: Double
    let loadProcessorSeconds: Double
    let prefill: Regime?
    let decode: Regime?
    let firstToken: FirstToken?
    /// The process's largest resident memory, mapped pages of the model included.
    let peakResidentBytes: Int
}
