import Glibc

/// Unified predictor-corrector (Zhao and others 2023, algorithms 1 and 2), predicting the picture or the noise.
struct UniPCScheduler: Scheduler {
    let initialScale: Float = 1
    private let levels: SolverLevels
    private let order: Int
    /// Whether B(h) is h (bh1) and not exp(h) - 1 (bh2).
    private let usesLinearB: Bool
    private let predictsSample: Bool
    private let lowersOrder: Bool
    private let prediction: Prediction
    private let disabledCorrectorSteps: [Int]

    init(_ configuration: SchedulerConfiguration, steps: Int) throws(StableDiffusionError) {
        levels = try SolverLevels(configuration, steps: steps)
        order = configuration.solverOrder
        usesLinearB = configuration.solverType == .bh1
        predictsSample = configuration.predictsSample
        lowersOrder = configuration.usesLowerOrderFinally
        prediction = configuration.prediction
        disabledCorrectorSteps = configuration.disabledCorrectorSteps
    }

    var timesteps: [Float] { levels.timesteps }
    var sigmas: [Float] { levels.sigmas }

    func step(
        _ step: Int, output: Latents, latents: Latents, history: inout SchedulerHistory,
        noise: () -> Latents
    ) -> (latents: Latents, denoised: Latents) {
        let (alpha, sigma) = levels.parts(step)
        let denoised = prediction.denoised(output, in: latents, alpha: alpha, sigma: sigma)
        let estimate =
            predictsSample
            ? denoised : prediction.noise(output, in: latents, alpha: alpha, sigma: sigma)
        var corrected = latents
        if let last = history.latents, !disabledCorrectorSteps.contains(step - 1) {
            corrected = correct(last, to: step, order: history.order, history, with: estimate)
        }
        history.append(estimate, keeping: order)
        history.latents = corrected
        // Without noise at the end the last step can only be of order 1.
        let rest = lowersOrder ? timesteps.count - step : levels.sigmas[step + 1] == 0 ? 1 : order
        history.order = min(order, rest, history.taken + 1)
        history.taken += 1
        return (predict(corrected, from: step, order: history.order, history), denoised)
    }

    /// UniP: from the beginning of `step` to that of the next.
    private func predict(
        _ latents: Latents, from step: Int, order: Int, _ history: SchedulerHistory
    ) -> Latents {
        let system = System(levels, from: step, order: order, self)
        var (next, factor) = base(latents, history.output(0), from: step, system)
        // Of order 2 the exact solution is left for a half, as the authors do.
        let weights = order == 2 ? [0.5] : system.solution(order - 1)
        if let sum = differences(history, system, weights) { next = next - factor * sum }
        return next
    }

    /// UniC: the beginning of `step` once more, now with its own estimate.
    private func correct(
        _ latents: Latents, to step: Int, order: Int, _ history: SchedulerHistory, with estimate: Latents
    ) -> Latents {
        let system = System(levels, from: step - 1, order: order, self)
        let (next, factor) = base(latents, history.output(0), from: step - 1, system)
        let weights = order == 1 ? [0.5] : system.solution(order)
        let own = weights[order - 1] * (estimate - history.output(0))
        let sum = differences(history, system, weights).map { $0 + own } ?? own
        return next - factor * sum
    }

    /// The step of order 1, and what the correction of higher orders is multiplied with.
    private func base(
        _ latents: Latents, _ m0: Latents, from step: Int, _ system: System
    ) -> (latents: Latents, factor: Float) {
        let (now, next) = (levels.parts(step), levels.parts(step + 1))
        let scale = predictsSample ? next.sigma / now.sigma : next.alpha / now.alpha
        let part = predictsSample ? next.alpha : next.sigma
        return (scale * latents - (part * system.growth) * m0, part * system.b)
    }

    /// The weighted sum of the differences to earlier estimates; nil where the order has none.
    private func differences(_ history: SchedulerHistory, _ system: System, _ weights: [Float]) -> Latents? {
        var sum: Latents?
        for (index, ratio) in system.ratios.dropLast().enumerated() {
            let slope = (history.output(index + 1) - history.output(0)) / ratio
            let term = weights[index] * slope
            sum = sum.map { $0 + term } ?? term
        }
        return sum
    }

    /// The linear equations R ρ = b of theorem 3.1.
    private struct System {
        /// The distances to earlier steps in units of this one, then 1.
        let ratios: [Float]
        /// exp(h) - 1, with h negative where the picture is predicted.
        let growth: Float
        /// B(h).
        let b: Float
        private let right: [Float]

        init(_ levels: SolverLevels, from step: Int, order: Int, _ scheduler: UniPCScheduler) {
            let start = levels.lambda(step)
            let h = levels.lambda(step + 1) - start
            ratios = (1..<order).map { (levels.lambda(step - $0) - start) / h } + [1]
            let signed = scheduler.predictsSample ? -h : h
            growth = expm1f(signed)
            b = scheduler.usesLinearB ? signed : growth
            var phi = growth / signed - 1
            var factorial: Float = 1
            var right: [Float] = []
            for index in 1...order {
                right.append(phi * factorial / b)
                factorial *= Float(index + 1)
                phi = phi / signed - 1 / factorial
            }
            self.right = right
        }

        /// The solution of the first `count` equations in as many unknowns, by elimination; there are at most three.
        func solution(_ count: Int) -> [Float] {
            var rows = (0..<count).map { row in
                ratios.prefix(count).map { ratio in (0..<row).reduce(Float(1)) { power, _ in power * ratio } }
                    + [right[row]]
            }
            for pivot in 0..<count {
                let best = (pivot..<count).max { abs(rows[$0][pivot]) < abs(rows[$1][pivot]) } ?? pivot
                rows.swapAt(pivot, best)
                for row in 0..<count where row != pivot {
                    let factor = rows[row][pivot] / rows[pivot][pivot]
                    for column in pivot...count { rows[row][column] -= factor * rows[pivot][column] }
                }
            }
            return (0..<count).map { rows[$0][count] / rows[$0][$0] }
        }
    }

    func addNoise(_ noise: Latents, to latents: Latents, at step: Int) -> Latents {
        levels.addNoise(noise, to: latents, at: step)
    }
}
