// What a network's output says of latents x = α x₀ + σ ε (Kingma and others 2021, equation 1; Salimans and Ho 2022,
// appendix D). Schedulers that keep the variance have α² + σ² = 1; those that let it grow have α = 1.

extension Prediction {
    /// The estimate of x₀ that `output` stands for, in `latents` of variance 1.
    func denoised(_ output: Latents, in latents: Latents, alpha: Float, sigma: Float) -> Latents {
        switch self {
        case .epsilon: (latents - sigma * output) / alpha
        case .velocity: alpha * latents - sigma * output
        case .sample: output
        }
    }

    /// The estimate of ε that `output` stands for, in `latents` of variance 1.
    func noise(_ output: Latents, in latents: Latents, alpha: Float, sigma: Float) -> Latents {
        switch self {
        case .epsilon: output
        case .velocity: alpha * output + sigma * latents
        case .sample: (latents - alpha * output) / sigma
        }
    }

    /// The estimate of x₀ that `output` stands for, in `latents` = x₀ + σ ε (Karras and others 2022, table 1).
    func denoised(_ output: Latents, in latents: Latents, sigma: Float) -> Latents {
        switch self {
        case .epsilon: latents - sigma * output
        case .velocity:
            (-sigma / (sigma * sigma + 1).squareRoot()) * output + latents / (sigma * sigma + 1)
        case .sample: output
        }
    }
}
