/// Pseudo numerical methods for diffusion models (Liu and others 2022).
///
/// The linear multistep method (equation 12) begins with three intervals of the Runge-Kutta method (equation 13), as in
/// algorithm 2, or without them with a second look at the second time.
struct PNDMScheduler: Scheduler {
    let timesteps: [Float]
    let initialScale: Float = 1
    private let levels: VarianceLevels
    private let interval: Int
    private let prediction: Prediction
    /// How many steps are Runge-Kutta's, four for an interval.
    private let rungeKuttaCount: Int

    init(_ configuration: SchedulerConfiguration, steps: Int) throws(StableDiffusionError) {
        guard configuration.prediction != .sample else {
            throw .invalidSetting(
                name: "scheduler", expected: "another for a model that gives samples", found: "pndm")
        }
        let times = try configuration.timesteps(steps)
        levels = VarianceLevels(configuration)
        interval = configuration.trainingSteps / steps
        prediction = configuration.prediction
        if configuration.skipsRungeKutta {
            rungeKuttaCount = 0
            timesteps = Self.repeatingSecond(times).map { Float($0) }
        } else {
            guard steps >= 4 else { throw configuration.invalidSteps("at least 4", steps) }
            let first = Self.rungeKutta(times, interval: interval)
            rungeKuttaCount = first.count
            timesteps = (first + times.dropFirst(3)).map { Float($0) }
        }
    }

    /// The second time comes twice, which gives the multistep method a first pair of outputs.
    private static func repeatingSecond(_ times: [Int]) -> [Int] {
        guard times.count > 1 else { return times }
        return [times[0], times[1]] + times[1...]
    }

    /// Begin, middle, middle and end of each of the first three intervals.
    private static func rungeKutta(_ times: [Int], interval: Int) -> [Int] {
        (0..<3).flatMap { index in
            let middle = times[index + 1] + interval / 2
            return [times[index], middle, middle, times[index + 1]]
        }
    }

    func step(
        _ step: Int, output: Latents, latents: Latents, history: inout SchedulerHistory,
        noise: () -> Latents
    ) -> (latents: Latents, denoised: Latents) {
        let time = Int(timesteps[step])
        let (alpha, sigma) = levels[time]
        let denoised = prediction.denoised(output, in: latents, alpha: alpha, sigma: sigma)
        defer { history.taken += 1 }
        let next =
            history.taken < rungeKuttaCount
            ? rungeKuttaStep(time, output, latents, &history) : multistep(time, output, latents, &history)
        return (next, denoised)
    }

    private func rungeKuttaStep(
        _ time: Int, _ output: Latents, _ latents: Latents, _ history: inout SchedulerHistory
    ) -> Latents {
        let part = history.taken % 4
        let begin = Int(timesteps[history.taken - part])
        let end = time - (part % 2 == 1 ? 0 : interval / 2)
        var output = output
        switch part {
        case 0:
            history.sum = Float(1.0 / 6) * output
            history.append(output, keeping: 4)
            history.latents = latents
        case 3:
            output = Float(1.0 / 6) * output
            if let sum = history.sum { output = sum + output }
            history.sum = nil
        default:
            let share = Float(1.0 / 3) * output
            history.sum = history.sum.map { $0 + share } ?? share
        }
        return transfer(history.latents ?? latents, output, from: begin, to: end)
    }

    private func multistep(
        _ time: Int, _ output: Latents, _ latents: Latents, _ history: inout SchedulerHistory
    ) -> Latents {
        if history.taken == 1, history.outputs.count == 1 {
            // The second look: the mean of both outputs, from where the first one began.
            let mean = (output + history.output(0)) / 2
            defer { history.latents = nil }
            return transfer(history.latents ?? latents, mean, from: time + interval, to: time)
        }
        history.append(output, keeping: 4)
        if history.outputs.count == 1 { history.latents = latents }
        let e = (0..<history.outputs.count).map(history.output)
        let combined =
            switch e.count {
            case 1: e[0]
            case 2: (3 * e[0] - e[1]) / 2
            case 3: (23 * e[0] - 16 * e[1] + 5 * e[2]) / 12
            default: Float(1.0 / 24) * (55 * e[0] - 59 * e[1] + 37 * e[2] - 9 * e[3])
            }
        return transfer(latents, combined, from: time, to: time - interval)
    }

    /// Equation 11: the latents at `end` by an output that holds from `begin` on.
    private func transfer(_ latents: Latents, _ output: Latents, from begin: Int, to end: Int) -> Latents {
        let begin = min(begin, levels.lastTime)
        let (now, next) = (levels.cumulative(begin), levels.cumulative(end))
        let (alpha, sigma) = levels[begin]
        let epsilon = prediction.noise(output, in: latents, alpha: alpha, sigma: sigma)
        let divisor = now * (1 - next).squareRoot() + (now * (1 - now) * next).squareRoot()
        return (next / now).squareRoot() * latents - ((next - now) * epsilon) / divisor
    }

    func addNoise(_ noise: Latents, to latents: Latents, at step: Int) -> Latents {
        levels.addNoise(noise, to: latents, at: Int(timesteps[step]))
    }
}
