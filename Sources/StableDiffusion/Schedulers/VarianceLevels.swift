/// The parts of picture and noise, α = sqrt(ᾱ) and σ = sqrt(1 - ᾱ), at each training time.
struct VarianceLevels: Sendable {
    private let schedule: NoiseSchedule
    /// ᾱ before the first training time.
    private let final: Float

    init(_ configuration: SchedulerConfiguration) {
        schedule = NoiseSchedule(configuration)
        final = configuration.setsAlphaToOne ? 1 : schedule.alphasCumulative[0]
    }

    /// The last training time.
    var lastTime: Int { schedule.alphasCumulative.count - 1 }

    /// ᾱ at a training time; times below 0 are after the last step.
    func cumulative(_ time: Int) -> Float { time >= 0 ? schedule.alphasCumulative[time] : final }

    subscript(time: Int) -> (alpha: Float, sigma: Float) {
        let cumulative = cumulative(time)
        return (cumulative.squareRoot(), (1 - cumulative).squareRoot())
    }

    func addNoise(_ noise: Latents, to latents: Latents, at time: Int) -> Latents {
        let (alpha, sigma) = self[time]
        return alpha * latents + sigma * noise
    }
}
