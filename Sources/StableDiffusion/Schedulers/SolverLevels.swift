import Glibc

/// What a solver in the logarithm of the signal-to-noise ratio needs of its noise levels (Lu and others 2022, section
/// 3).
struct SolverLevels: Sendable {
    let sigmas: [Float]
    let timesteps: [Float]

    init(_ configuration: SchedulerConfiguration, steps: Int) throws(StableDiffusionError) {
        let schedule = NoiseSchedule(configuration, isNeverZero: true)
        let times = try configuration.solverTimesteps(
            steps, before: Self.end(configuration, schedule.alphasCumulative))
        let levels: NoiseLevels
        if configuration.usesKarrasSigmas {
            let table = schedule.sigmas
            levels = NoiseLevels(
                karras: steps, from: Double(table[table.count - 1]), to: Double(table[0]),
                rounded: configuration.betaSchedule != .cosine || configuration.kind == .unipc,
                configuration, schedule)
        } else {
            levels = NoiseLevels(at: times.map { Float($0) }, configuration, schedule)
        }
        guard levels.isDescending else { throw configuration.invalidSteps("fewer", steps) }
        sigmas = levels.sigmas
        // With a cosine schedule the reference's times aren't rounded first, but cut to integers in the end.
        timesteps = levels.timesteps.map { $0.rounded(.towardZero) }
    }

    /// The first training time at which too little of the picture is left.
    private static func end(_ configuration: SchedulerConfiguration, _ alphas: [Float]) -> Int {
        guard configuration.kind != .unipc else { return alphas.count }
        let limit = configuration.lambdaMinClipped
        return alphas.firstIndex {
            Double(logf($0.squareRoot()) - logf((1 - $0).squareRoot())) < limit
        } ?? alphas.count
    }

    /// The parts of picture and noise at a step's beginning, scaled to variance 1.
    func parts(_ step: Int) -> (alpha: Float, sigma: Float) {
        let alpha = 1 / (sigmas[step] * sigmas[step] + 1).squareRoot()
        return (alpha, sigmas[step] * alpha)
    }

    /// λ = log(α / σ) at a step's beginning; infinite without noise.
    func lambda(_ step: Int) -> Float {
        let (alpha, sigma) = parts(step)
        return logf(alpha) - logf(sigma)
    }

    func addNoise(_ noise: Latents, to latents: Latents, at step: Int) -> Latents {
        let (alpha, sigma) = parts(step)
        return alpha * latents + sigma * noise
    }
}
