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

    private struct Case {
        let name: String
        let kinds: Set<RenderReuse.Kind>
        /// Whether the very text was rendered before, not only the one without its last letter.
        var isSameText = false
        var padding = TextPadding.encoded
    }

    private static let letter: Set<RenderReuse.Kind> = [.texts, .blank, .times, .stems]
    private static let all = Set(RenderReuse.Kind.allCases)

    /// What is gone on from, in the order in which it is measured.
    private static let cases = [
        Case(name: "nothing", kinds: []),
        Case(name: "text states before the letter", kinds: [.texts]),
        Case(name: "times", kinds: [.times]),
        Case(name: "stem", kinds: [.stems]),
        Case(name: "next letter: all of these", kinds: letter),
        Case(name: "next letter, with blank padding", kinds: letter, padding: .blank),
        Case(name: "the same text's embedding", kinds: [.conditioning], isSameText: true),
        Case(name: "its keys and values too", kinds: [.conditioning, .contexts], isSameText: true),
        Case(
            name: "the same text, but its first step", kinds: all.subtracting([.firstStep]), isSameText: true),
        Case(name: "its first step too", kinds: all, isSameText: true),
    ]

    /// The samples of each case, which take turns.
    func run() throws -> [Report.Reuse] {
        var left: [TextPadding: RenderReuse] = [:]
        for padding in TextPadding.allCases {
            var before = settings
            before.prompt.removeLast()
            before.textPadding = padding
            try takeFirstStep(of: before, &left[padding, default: RenderReuse()])
        }
        var same = RenderReuse()
        try takeFirstStep(of: settings, &same)
        var samples = Self.cases.map { _ in [Stopwatch.Sample]() }
        for round in 0...repetitions {
            for (index, entry) in Self.cases.enumerated() {
                var settings = settings
                settings.textPadding = entry.padding
                var reuse = entry.isSameText ? same : left[entry.padding] ?? RenderReuse()
                reuse.keep(only: entry.kinds)
                let stopwatch = Stopwatch()
                try takeFirstStep(of: settings, &reuse)
                // The first round warms up.
                if round > 0 { samples[index].append(stopwatch.read()) }
            }
        }
        return zip(Self.cases, samples).map { Report.Reuse(name: $0.name, part: Report.Part($1)) }
    }

    private func takeFirstStep(of settings: RenderSettings, _ reuse: inout RenderReuse) throws {
        let plan = try model.plan(settings)
        let conditioning = try model.encodePrompt(plan, reusing: &reuse, pass)
        var denoising = try Denoising(model, plan, conditioning, reusing: reuse, pass: pass)
        _ = try denoising.next(pass)
        reuse = denoising.reuse
    }
}
