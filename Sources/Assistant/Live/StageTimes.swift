import AssistantAPI
import StableDiffusion

/// What the parts of a render take with one model on this machine, in milliseconds, as far as it was measured.
///
/// What was not measured is concluded from the nearest size that was.
struct StageTimes: Sendable, Equatable {
    /// What one render took, by part, without the time in which others were served.
    struct Sample: Sendable, Equatable {
        /// In pixels.
        var width: Int
        /// In pixels.
        var height: Int
        var decoder: String
        var textPadding = TextPadding.encoded
        var encode: Double
        /// Of each step that was taken.
        var steps: [Double]
        var decode: Double
    }

    private struct Figure: Sendable, Equatable {
        var value: Double

        /// A faster one counts more: what is slow may have been something else on the machine.
        mutating func add(_ new: Double) { value += (new - value) / (new < value ? 2 : 8) }
    }

    private var encodes: [TextPadding: Figure] = [:]
    /// By the number of pixels.
    private var steps: [Int: Figure] = [:]
    private var decodes: [String: [Int: Figure]] = [:]

    var isEmpty: Bool { steps.isEmpty }

    mutating func add(_ sample: Sample) {
        let pixels = sample.width * sample.height
        // A prompt that was known took no time, which says nothing.
        if sample.encode > 0.5 { Self.add(sample.encode, to: &encodes[sample.textPadding]) }
        if !sample.steps.isEmpty {
            Self.add(sample.steps.reduce(0, +) / Double(sample.steps.count), to: &steps[pixels])
        }
        Self.add(sample.decode, to: &decodes[sample.decoder, default: [:]][pixels])
    }

    /// Milliseconds of a whole render; `nil` while nothing was measured.
    func expected(
        width: Int, height: Int, steps count: Int, decoder: String, textPadding: TextPadding = .encoded
    ) -> Double? {
        let pixels = width * height
        guard let step = Self.nearest(steps, pixels) else { return nil }
        let decode =
            decodes[decoder].flatMap { Self.nearest($0, pixels) }
            // A full decoder takes some steps' time; better a guess that is too high until it was measured.
            ?? (decoder == "tiny" ? step / 2 : step * 4)
        return encode(textPadding) + step * Double(count) + decode
    }

    /// The same with steps that take so many times as long.
    func scalingSteps(by factor: Double) -> StageTimes {
        var scaled = self
        scaled.steps = steps.mapValues { Figure(value: $0.value * factor) }
        return scaled
    }

    /// A prompt's own tokens are at most a quarter of those with padding, mostly.
    private func encode(_ padding: TextPadding) -> Double {
        encodes[padding]?.value ?? (encodes[.encoded]?.value ?? 0) / 4
    }

    private static func add(_ value: Double, to figure: inout Figure?) {
        if figure == nil { figure = Figure(value: value) } else { figure?.add(value) }
    }

    private static func nearest(_ figures: [Int: Figure], _ pixels: Int) -> Double? {
        func ratio(_ other: Int) -> Double {
            max(Double(pixels) / Double(other), Double(other) / Double(pixels))
        }
        let nearest = figures.min { (ratio($0.key), $0.key) < (ratio($1.key), $1.key) }
        return nearest.map { $0.value.value * Double(pixels) / Double($0.key) }
    }
}
