/// Latent consistency models in several steps (Luo and others 2023, algorithm 3).
struct LCMScheduler: Scheduler {
    let timesteps: [Float]
    let initialScale: Float = 1
    private let levels: VarianceLevels
    private let timestepScaling: Float
    private let prediction: Prediction
    private let clipRange: Float?

    init(_ configuration: SchedulerConfiguration, steps: Int) throws(StableDiffusionError) {
        timesteps = try configuration.consistencyTimesteps(steps).map { Float($0) }
        levels = VarianceLevels(configuration)
        timestepScaling = Float(configuration.timestepScaling)
        prediction = configuration.prediction
        clipRange = configuration.clipRange
    }

    func step(
        _ step: Int, output: Latents, latents: Latents, history: inout SchedulerHistory,
        noise: () -> Latents
    ) -> (latents: Latents, denoised: Latents) {
        let (alpha, sigma) = levels[Int(timesteps[step])]
        var estimate = prediction.denoised(output, in: latents, alpha: alpha, sigma: sigma)
        if let clipRange { estimate = estimate.clamped(to: clipRange) }
        // The boundary condition (Song and others 2023, appendix C, with σ = 0.5): at time 0 nothing changes.
        let time = timesteps[step] * timestepScaling
        let total = time * time + 0.25
        let denoised = (time / total.squareRoot()) * estimate + (0.25 / total) * latents
        guard step + 1 < timesteps.count else { return (denoised, denoised) }
        let next = levels[Int(timesteps[step + 1])]
        return (next.alpha * denoised + next.sigma * noise(), denoised)
    }

    func addNoise(_ noise: Latents, to latents: Latents, at step: Int) -> Latents {
        levels.addNoise(noise, to: latents, at: Int(timesteps[step]))
    }
}
