/// Denoising diffusion implicit models (Song and others 2021), equation 12 with σ = 0.
struct DDIMScheduler: Scheduler {
    let timesteps: [Float]
    let initialScale: Float = 1
    private let levels: VarianceLevels
    private let interval: Int
    private let prediction: Prediction
    private let clipRange: Float?

    init(_ configuration: SchedulerConfiguration, steps: Int) throws(StableDiffusionError) {
        timesteps = try configuration.timesteps(steps).map { Float($0) }
        levels = VarianceLevels(configuration)
        interval = configuration.trainingSteps / steps
        prediction = configuration.prediction
        clipRange = configuration.clipRange
    }

    func step(
        _ step: Int, output: Latents, latents: Latents, history: inout SchedulerHistory,
        noise: () -> Latents
    ) -> (latents: Latents, denoised: Latents) {
        let time = Int(timesteps[step])
        let (alpha, sigma) = levels[time]
        let (nextAlpha, nextSigma) = levels[time - interval]
        var denoised = prediction.denoised(output, in: latents, alpha: alpha, sigma: sigma)
        if let clipRange { denoised = denoised.clamped(to: clipRange) }
        let epsilon = prediction.noise(output, in: latents, alpha: alpha, sigma: sigma)
        return (nextAlpha * denoised + nextSigma * epsilon, denoised)
    }

    func addNoise(_ noise: Latents, to latents: Latents, at step: Int) -> Latents {
        levels.addNoise(noise, to: latents, at: Int(timesteps[step]))
    }
}
