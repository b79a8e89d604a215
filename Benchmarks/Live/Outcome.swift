import BenchmarkSupport

/// What became of one typed text.
struct Outcome: Codable, Sendable {
    /// Milliseconds from the last key to the first picture of the final text, of at least `smallestFrame` pixels a side.
    var firstFrame: Double
    /// Milliseconds from the last key to the picture with the size, steps and decoder that were asked for.
    var settled: Double
    /// Of the first picture.
    var width: Int
    var steps: Int
    /// Pictures that were shown while typing and afterwards.
    var frames: Int
    var ledger: StepLedger

    /// A smaller picture is no frame.
    static let smallestFrame = 128
}

/// Denoising steps, each counted by its pixels, so that a step at full size is 1.
struct StepLedger: Codable, Sendable {
    private(set) var total = 0.0
    /// Of renders whose text was no longer the newest when they ended, finished or not.
    private(set) var wasted = 0.0
    /// The same without regard to size.
    private(set) var steps = 0
    private(set) var wastedSteps = 0

    mutating func add(_ count: Int, share: Double, isWasted: Bool) {
        total += Double(count) * share
        steps += count
        guard isWasted else { return }
        wasted += Double(count) * share
        wastedSteps += count
    }
}

/// What one pipeline made of all traces.
struct PipelineReport: Codable, Sendable {
    var pipeline: String
    var outcomes: [Outcome] = []
    var firstFrameP50 = 0.0
    var firstFrameP95 = 0.0
    var settledP50 = 0.0
    var settledP95 = 0.0
    var frames = 0
    /// Of all steps, by pixels.
    var wastedShare = 0.0
    /// In steps at full size.
    var wasted = 0.0

    init(_ pipeline: String, _ outcomes: [Outcome]) {
        self.pipeline = pipeline
        self.outcomes = outcomes
        firstFrameP50 = outcomes.map(\.firstFrame).quantile(0.5)
        firstFrameP95 = outcomes.map(\.firstFrame).quantile(0.95)
        settledP50 = outcomes.map(\.settled).quantile(0.5)
        settledP95 = outcomes.map(\.settled).quantile(0.95)
        frames = outcomes.reduce(0) { $0 + $1.frames }
        wasted = outcomes.reduce(0) { $0 + $1.ledger.wasted }
        let total = outcomes.reduce(0) { $0 + $1.ledger.total }
        wastedShare = total > 0 ? wasted / total : 0
    }
}

extension [Double] {
    /// The smallest value that at least this share of the values doesn't exceed; 0 without values.
    func quantile(_ share: Double) -> Double {
        let sorted = sorted()
        guard !sorted.isEmpty else { return 0 }
        let index = Int((share * Double(count)).rounded(.up)) - 1
        return sorted[Swift.min(count - 1, Swift.max(0, index))]
    }
}

extension Duration {
    var milliseconds: Double { seconds * 1000 }
}
