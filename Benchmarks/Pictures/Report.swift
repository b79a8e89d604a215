import BenchmarkSupport

/// What one run measured.
struct Report: Encodable {
    /// One part, measured several times.
    struct Part: Encodable {
        /// Wall-clock seconds.
        let seconds: [Double]
        /// Processor seconds of all threads, measured with each of `seconds`.
        let processorSeconds: [Double]

        init(_ samples: [Stopwatch.Sample]) {
            seconds = samples.map(\.seconds)
            processorSeconds = samples.map(\.processorSeconds)
        }
    }

    /// From a text to the end of its first step, with some of what an earlier render left.
    struct Reuse: Encodable {
        /// What was gone on from.
        let name: String
        var part: Part
    }

    let model: String
    /// Width and height in pixels.
    let size: Int
    let threads: Int
    let instructionSet: String
    let parameters: Int
    let weightBytes: Int
    let loadSeconds: Double
    let loadProcessorSeconds: Double
    /// By the name of the stage.
    let stages: [String: Part]
    let reuse: [Reuse]
    /// The process's largest resident memory, mapped pages of the model included.
    let peakResidentBytes: Int
}
