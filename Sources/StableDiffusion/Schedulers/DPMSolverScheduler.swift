import Glibc

/// DPM-Solver++ in its multistep form (Lu and others 2022b, algorithm 2), of order 1 to 3.
struct DPMSolverScheduler: Scheduler {
    let initialScale: Float = 1
    private let levels: SolverLevels
    private let order: Int
    private let usesHeun: Bool
    private let prediction: Prediction
    /// From which step on the order is at most 1 and at most 2.
    private let firstOrderStep: Int, secondOrderStep: Int

    init(_ configuration: SchedulerConfiguration, steps: Int) throws(StableDiffusionError) {
        levels = try SolverLevels(configuration, steps: steps)
        order = configuration.solverOrder
        usesHeun = configuration.solverType == .heun
        prediction = configuration.prediction
        // Few steps end with lower orders, for stability.
        let count = levels.timesteps.count
        let isShort = configuration.usesLowerOrderFinally && count < 15
        let isFirst = isShort || configuration.usesEulerFinally || configuration.finalSigma == .zero
        firstOrderStep = isFirst ? count - 1 : count
        secondOrderStep = isShort ? count - 2 : count
    }

    var timesteps: [Float] { levels.timesteps }
    var sigmas: [Float] { levels.sigmas }

    func step(
        _ step: Int, output: Latents, latents: Latents, history: inout SchedulerHistory,
        noise: () -> Latents
    ) -> (latents: Latents, denoised: Latents) {
        let (alpha, sigma) = levels.parts(step)
        let denoised = prediction.denoised(output, in: latents, alpha: alpha, sigma: sigma)
        history.append(denoised, keeping: order)
        defer { history.taken += 1 }
        let order = min(
            self.order, history.taken + 1,
            step >= firstOrderStep ? 1 : step == secondOrderStep ? 2 : 3)
        return (update(step, order: order, latents, history), denoised)
    }

    private func update(_ step: Int, order: Int, _ latents: Latents, _ history: SchedulerHistory) -> Latents {
        let (nextAlpha, nextSigma) = levels.parts(step + 1)
        let h = levels.lambda(step + 1) - levels.lambda(step)
        let decay = expf(-h) - 1
        let m0 = history.output(0)
        let first = (nextSigma / levels.parts(step).sigma) * latents - (nextAlpha * decay) * m0
        guard order > 1 else { return first }
        let m1 = history.output(1)
        let r0 = (levels.lambda(step) - levels.lambda(step - 1)) / h
        let slope = (1 / r0) * (m0 - m1)
        guard order > 2 else {
            return usesHeun
                ? first + (nextAlpha * (decay / h + 1)) * slope : first - (0.5 * (nextAlpha * decay)) * slope
        }
        let r1 = (levels.lambda(step - 1) - levels.lambda(step - 2)) / h
        let earlierSlope = (1 / r1) * (m1 - history.output(2))
        let change = slope - earlierSlope
        let d1 = slope + (r0 / (r0 + r1)) * change
        let d2 = (1 / (r0 + r1)) * change
        return first + (nextAlpha * (decay / h + 1)) * d1
            - (nextAlpha * ((decay + h) / (h * h) - 0.5)) * d2
    }

    func addNoise(_ noise: Latents, to latents: Latents, at step: Int) -> Latents {
        levels.addNoise(noise, to: latents, at: step)
    }
}
