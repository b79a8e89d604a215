import AssistantAPI
import Synchronization

/// What was measured of each model since the daemon began, and how it reads texts: common to all canvases.
final class StageMeasures: Sendable {
    typealias Reading = @Sendable (String) -> PromptSignature

    private struct Model {
        /// With guidance every step takes twice as long.
        var times: [Bool: StageTimes] = [:]
        var reading: Reading?
    }

    private let models = Mutex<[String: Model]>([:])

    /// Whether anything was measured of a model, with guidance or without.
    func hasTimes(of model: String) -> Bool {
        models.withLock { $0[model]?.times.values.contains { !$0.isEmpty } == true }
    }

    /// What was measured of a model; where that was the other way only, what follows from it.
    func times(of model: String, isGuided: Bool) -> StageTimes {
        let times = models.withLock { $0[model]?.times } ?? [:]
        if let measured = times[isGuided], !measured.isEmpty { return measured }
        return times[!isGuided]?.scalingSteps(by: isGuided ? 2 : 0.5) ?? StageTimes()
    }

    func add(_ sample: StageTimes.Sample, of model: String, isGuided: Bool) {
        models.withLock { $0[model, default: Model()].times[isGuided, default: StageTimes()].add(sample) }
    }

    /// The model was loaded, and reads texts so.
    func setReading(_ reading: @escaping Reading, of model: String) {
        models.withLock { $0[model, default: Model()].reading = reading }
    }

    /// What the model sees of a text; before it was loaded, the text without what surely makes no difference.
    func signature(of text: String, for model: String) -> PromptSignature {
        if let reading = models.withLock({ $0[model]?.reading }) { return reading(text) }
        return text.split(whereSeparator: \.isWhitespace).joined(separator: " ").utf8.map(Int32.init)
    }
}
