import Glibc

/// Euler's method on the probability flow (Karras and others 2022, algorithm 2 without churn and correction).
struct EulerScheduler: Scheduler {
    let timesteps: [Float]
    let sigmas: [Float]
    let initialScale: Float
    private let prediction: Prediction

    init(_ configuration: SchedulerConfiguration, steps: Int) throws(StableDiffusionError) {
        let levels = try Self.levels(configuration, steps)
        guard levels.isDescending else { throw configuration.invalidSteps("fewer", steps) }
        sigmas = levels.sigmas
        prediction = configuration.prediction
        timesteps =
            configuration.hasContinuousTimesteps && prediction == .velocity
            ? sigmas.prefix(steps).map { 0.25 * logf($0) } : levels.timesteps
        initialScale = configuration.initialScale(sigmas)
    }

    private static func levels(
        _ configuration: SchedulerConfiguration, _ steps: Int
    ) throws(StableDiffusionError) -> NoiseLevels {
        let schedule = NoiseSchedule(configuration, isNeverZero: true)
        let timesteps = try configuration.fractionalTimesteps(steps)
        let levels = NoiseLevels(at: timesteps, configuration, schedule)
        let table = schedule.sigmas
        let logarithmic = configuration.interpolation == .logarithmic
        let evenly =
            logarithmic ? logarithmicSigmas(from: table[table.count - 1], to: table[0], steps) : []
        if configuration.usesKarrasSigmas {
            let range = logarithmic ? evenly : Array(levels.sigmas.dropLast())
            return NoiseLevels(
                karras: steps, from: Double(range[0]), to: Double(range[range.count - 1]),
                rounded: false, configuration, schedule)
        }
        guard logarithmic else { return levels }
        return NoiseLevels(
            sigmas: evenly + [NoiseLevels.final(configuration, table)], timesteps: timesteps)
    }

    /// Levels evenly spaced in their logarithms; the reference has one more of them than steps.
    private static func logarithmicSigmas(from greatest: Float, to smallest: Float, _ steps: Int) -> [Float] {
        let (high, low) = (logf(greatest), logf(smallest))
        let step = (low - high) / Float(steps)
        return (0...steps).map { index in
            expf(
                index < (steps + 1) / 2
                    ? high + step * Float(index) : low - step * Float(steps - index))
        }
    }

    func networkInput(_ latents: Latents, at step: Int) -> Latents {
        latents / (sigmas[step] * sigmas[step] + 1).squareRoot()
    }

    func step(
        _ step: Int, output: Latents, latents: Latents, history: inout SchedulerHistory,
        noise: () -> Latents
    ) -> (latents: Latents, denoised: Latents) {
        let sigma = sigmas[step]
        let denoised = prediction.denoised(output, in: latents, sigma: sigma)
        let derivative = (latents - denoised) / sigma
        return (latents + (sigmas[step + 1] - sigma) * derivative, denoised)
    }

    func addNoise(_ noise: Latents, to latents: Latents, at step: Int) -> Latents {
        latents + sigmas[step] * noise
    }
}

extension SchedulerConfiguration {
    /// The standard deviation of the first latents: with the greatest level left out, that of picture and noise.
    func initialScale(_ sigmas: [Float]) -> Float {
        let greatest = sigmas.max() ?? 1
        return spacing == .leading ? (greatest * greatest + 1).squareRoot() : greatest
    }
}
