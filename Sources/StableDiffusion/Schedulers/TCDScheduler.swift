/// Trajectory consistency distillation: strategic stochastic sampling (Zheng and others 2024, algorithm 2).
struct TCDScheduler: Scheduler {
    /// How far a step goes beyond the next time, to return there with fresh noise: γ of the paper; 0 is deterministic.
    static let stochasticity = 0.3

    let timesteps: [Float]
    let initialScale: Float = 1
    private let levels: VarianceLevels
    private let prediction: Prediction
    private let gamma: Double

    init(
        _ configuration: SchedulerConfiguration, steps: Int, gamma: Double = Self.stochasticity
    ) throws(StableDiffusionError) {
        timesteps = try configuration.consistencyTimesteps(steps).map { Float($0) }
        levels = VarianceLevels(configuration)
        prediction = configuration.prediction
        self.gamma = gamma
    }

    func step(
        _ step: Int, output: Latents, latents: Latents, history: inout SchedulerHistory,
        noise: () -> Latents
    ) -> (latents: Latents, denoised: Latents) {
        let isLast = step + 1 == timesteps.count
        let next = isLast ? 0 : timesteps[step + 1]
        let target = Int((Float(1 - gamma) * next).rounded(.down))
        let (alpha, sigma) = levels[Int(timesteps[step])]
        let denoised = prediction.denoised(output, in: latents, alpha: alpha, sigma: sigma)
        let epsilon = prediction.noise(output, in: latents, alpha: alpha, sigma: sigma)
        let part = levels[target]
        let reached = part.alpha * denoised + part.sigma * epsilon
        guard gamma > 0, !isLast else { return (reached, denoised) }
        let ratio = levels.cumulative(Int(next)) / levels.cumulative(target)
        return (ratio.squareRoot() * reached + (1 - ratio).squareRoot() * noise(), denoised)
    }

    func addNoise(_ noise: Latents, to latents: Latents, at step: Int) -> Latents {
        levels.addNoise(noise, to: latents, at: Int(timesteps[step]))
    }
}
