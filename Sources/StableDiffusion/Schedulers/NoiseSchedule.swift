import Glibc

/// How much of the picture is left at each training time: the one thing that schedulers share.
///
/// Computed in f32 as the reference does, so that its last digits agree.
struct NoiseSchedule: Sendable, Equatable {
    /// The product of all 1 - β up to each training time, descending.
    let alphasCumulative: [Float]

    /// The schedule of a configuration; with `isNeverZero` a last value of 0 becomes the smallest positive f16, so that
    /// no noise level is infinite.
    init(_ configuration: SchedulerConfiguration, isNeverZero: Bool = false) {
        var betas = Self.betas(configuration)
        if configuration.rescalesToZeroSNR { betas = Self.rescaledToZeroSNR(betas) }
        var alphas = Self.cumulative(betas)
        if configuration.rescalesToZeroSNR && isNeverZero { alphas[alphas.count - 1] = 0x1p-24 }
        alphasCumulative = alphas
    }

    /// The noise level sqrt((1 - ᾱ) / ᾱ) at each training time, ascending.
    var sigmas: [Float] { alphasCumulative.map { ((1 - $0) / $0).squareRoot() } }

    private static func betas(_ configuration: SchedulerConfiguration) -> [Float] {
        if let betas = configuration.trainedBetas { return betas }
        let count = configuration.trainingSteps
        let (start, end) = (configuration.betaStart, configuration.betaEnd)
        switch configuration.betaSchedule {
        case .linear:
            return evenlySpaced(from: Float(start), to: Float(end), count: count)
        case .scaledLinear:
            let roots = evenlySpaced(
                from: Float(start.squareRoot()), to: Float(end.squareRoot()), count: count)
            return roots.map { $0 * $0 }
        case .cosine:
            // Nichol and Dhariwal 2021, equation 17.
            func alphaBar(_ time: Double) -> Double {
                let cosine = cos((time + 0.008) / 1.008 * Double.pi / 2)
                return cosine * cosine
            }
            return (0..<count).map { index in
                let (now, next) = (Double(index) / Double(count), Double(index + 1) / Double(count))
                return Float(min(1 - alphaBar(next) / alphaBar(now), 0.999))
            }
        }
    }

    /// Torch's `linspace`, which counts from the nearer end and rounds once.
    private static func evenlySpaced(from start: Float, to end: Float, count: Int) -> [Float] {
        guard count > 1 else { return [start] }
        let step = (end - start) / Float(count - 1)
        return (0..<count).map { index in
            index < count / 2
                ? start.addingProduct(step, Float(index))
                : end.addingProduct(-step, Float(count - 1 - index))
        }
    }

    /// Products of 1 - β, added up in f64 as torch's `cumprod` does.
    private static func cumulative(_ betas: [Float]) -> [Float] {
        var product = 1.0
        return betas.map { beta in
            product *= Double(1 - beta)
            return Float(product)
        }
    }

    /// Shifts and stretches the square roots so that nothing of the picture is left at the last training time (Lin and
    /// others 2024, algorithm 1).
    private static func rescaledToZeroSNR(_ betas: [Float]) -> [Float] {
        let roots = cumulative(betas).map { $0.squareRoot() }
        let (first, last) = (roots[0], roots[roots.count - 1])
        let scale = first / (first - last)
        let alphas = roots.map { root in
            let shifted = (root - last) * scale
            return shifted * shifted
        }
        return alphas.indices.map { index in
            1 - (index == 0 ? alphas[0] : alphas[index] / alphas[index - 1])
        }
    }
}
