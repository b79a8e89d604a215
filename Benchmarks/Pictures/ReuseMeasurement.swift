import BenchmarkSupport
import StableDiffusion
import Tensors

/// What is saved by each thing that renders leave for the next ones.
///
/// A text is rendered, then the same with one letter more: what counts is the time from that text to the end of its first
/// step, with nothing kept, with one kind, and with all of them.
struct ReuseMeasurement {
    private let model: DiffusionModel
    private let settings: RenderSettings
    private let repetitions: Int
    private let pass: Pass

    init(_ model: DiffusionModel, _ settings: RenderSettings, _ repetitions: Int, _ pass: Pass) {
        (self.model, self.settings, self.repetitions, self.pass) = (model, settings, repetitions, pass)
    }

    /// What is gone on from, in the order in which it is measured.
    private static let cases: [(name: String, kinds: Set<RenderReuse.Kind>, isSameText: Bool)] = [
        ("nothing", [], false),
        ("text states before the letter", [.texts], false),
        ("times", [.times], false),
        ("stem", [.stems], false),
        ("next letter: all of these", [.texts, .times, .stems], false),
        ("the same text's embedding", [.conditioning], true),
        ("the same text's embedding, keys and values", [.conditioning, .contexts], true),
        (
            "the same text again: all but the first step",
            Set(RenderReuse.Kind.allCases).subtracting([.firstStep]), true
        ),
        ("the first step too", Set(RenderReuse.Kind.allCases), true),
    ]

    /// The samples of each case, which take turns.
    func run() throws -> [Report.Reuse] {
        var before = settings
        before.prompt.removeLast()
        var left = RenderReuse()
        try takeFirstStep(of: before, &left)
        left.keep(only: [.texts, .times, .stems])
        var same = left
        try takeFirstStep(of: settings, &same)
        var samples = Self.cases.map { (name: $0.name, samples: [Stopwatch.Sample]()) }
        for round in 0...repetitions {
            for (index, entry) in Self.cases.enumerated() {
                var reuse = entry.isSameText ? same : left
                reuse.keep(only: entry.kinds)
                let stopwatch = Stopwatch()
                try takeFirstStep(of: settings, &reuse)
                // The first round warms up.
                if round > 0 { samples[index].samples.append(stopwatch.read()) }
            }
        }
        return samples.map { Report.Reuse(name: $0.name, part: Report.Part($0.samples)) }
    }

    private func takeFirstStep(of settings: RenderSettings, _ reuse: inout RenderReuse) throws {
        let plan = try model.plan(settings)
        let conditioning = try model.encodePrompt(plan, reusing: &reuse, pass)
        var denoising = try Denoising(model, plan, conditioning, reusing: reuse, pass: pass)
        _ = try denoising.next(pass)
        reuse = denoising.reuse
    }
}
