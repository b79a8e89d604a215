/// Euler's method with fresh noise at every step, in the shares of ancestral sampling (Song and others 2021b, equation
/// 47, as k-diffusion has it).
struct EulerAncestralScheduler: Scheduler {
    let timesteps: [Float]
    let sigmas: [Float]
    let initialScale: Float
    private let prediction: Prediction

    init(_ configuration: SchedulerConfiguration, steps: Int) throws(StableDiffusionError) {
        var configuration = configuration
        configuration.finalSigma = .zero  // this one has no other
        let levels = NoiseLevels(
            at: try configuration.fractionalTimesteps(steps), configuration,
            NoiseSchedule(configuration, isNeverZero: true))
        guard levels.isDescending else { throw configuration.invalidSteps("fewer", steps) }
        timesteps = levels.timesteps
        sigmas = levels.sigmas
        initialScale = configuration.initialScale(sigmas)
        prediction = configuration.prediction
    }

    func networkInput(_ latents: Latents, at step: Int) -> Latents {
        latents / (sigmas[step] * sigmas[step] + 1).squareRoot()
    }

    func step(
        _ step: Int, output: Latents, latents: Latents, history: inout SchedulerHistory,
        noise: () -> Latents
    ) -> (latents: Latents, denoised: Latents) {
        let (sigma, next) = (sigmas[step], sigmas[step + 1])
        let denoised = prediction.denoised(output, in: latents, sigma: sigma)
        let up = (next * next * (sigma * sigma - next * next) / (sigma * sigma)).squareRoot()
        let down = (next * next - up * up).squareRoot()
        let derivative = (latents - denoised) / sigma
        return (latents + (down - sigma) * derivative + up * noise(), denoised)
    }

    func addNoise(_ noise: Latents, to latents: Latents, at step: Int) -> Latents {
        latents + sigmas[step] * noise
    }
}
