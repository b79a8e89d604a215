/// A way to integrate from noise to a picture: a value, built complete for a number of steps, whose step is pure.
///
/// A step is one run of the network. `step` in the functions below counts runs from 0, also when a start picture lets the
/// first ones out; it is never a training time.
protocol Scheduler: Sendable {
    /// The training time that the network is told at each step, descending.
    var timesteps: [Float] { get }

    /// What noise of variance 1 is multiplied with to be the first step's latents.
    var initialScale: Float { get }

    /// What the network sees of `latents` at a step.
    func networkInput(_ latents: Latents, at step: Int) -> Latents

    /// Goes from a step's `latents` to the next one's.
    ///
    /// - Parameters:
    ///   - step: which one.
    ///   - output: what the network gave.
    ///   - latents: what the step began with.
    ///   - history: what the steps before left behind, and what this one leaves.
    ///   - noise: draws as many normal numbers as there are latents; called where the reference draws them.
    /// - Returns: the next latents, and this step's estimate of the finished ones.
    func step(
        _ step: Int, output: Latents, latents: Latents, history: inout SchedulerHistory,
        noise: () -> Latents
    ) -> (latents: Latents, denoised: Latents)

    /// `latents` without noise as they would be at the beginning of a step, by adding `noise` of variance 1.
    func addNoise(_ noise: Latents, to latents: Latents, at step: Int) -> Latents
}

extension Scheduler {
    func networkInput(_ latents: Latents, at step: Int) -> Latents { latents }
}

/// What a step leaves behind for the next ones: run state, at most four outputs long.
struct SchedulerHistory: Sendable {
    /// Steps taken.
    var taken = 0
    /// Outputs, or the estimates made of them, the last one last.
    private(set) var outputs: [Latents] = []
    /// The latents that the last interval began with.
    var latents: Latents?
    /// A weighted sum of outputs within an interval.
    var sum: Latents?
    /// The order of the last step.
    var order = 0

    /// Remembers an output, and forgets all but the last `count`.
    mutating func append(_ output: Latents, keeping count: Int) {
        outputs.append(output)
        outputs.removeFirst(max(0, outputs.count - count))
    }

    /// The output `back` steps ago: 0 is the last one.
    func output(_ back: Int) -> Latents { outputs[outputs.count - 1 - back] }
}

extension SchedulerConfiguration {
    /// The scheduler of these settings for a number of steps.
    ///
    /// - Throws: `invalidSetting` for a number of steps that it has no place for.
    func scheduler(steps: Int) throws(StableDiffusionError) -> any Scheduler {
        guard (1...trainingSteps).contains(steps) else {
            throw invalidSteps("from 1 to \(trainingSteps)", steps)
        }
        return switch kind {
        case .ddim: try DDIMScheduler(self, steps: steps)
        case .pndm: try PNDMScheduler(self, steps: steps)
        case .euler: try EulerScheduler(self, steps: steps)
        case .eulerAncestral: try EulerAncestralScheduler(self, steps: steps)
        case .dpmpp2M, .dpmpp2MKarras: try DPMSolverScheduler(self, steps: steps)
        case .lcm: try LCMScheduler(self, steps: steps)
        case .tcd: try TCDScheduler(self, steps: steps)
        case .unipc: try UniPCScheduler(self, steps: steps)
        }
    }

    func invalidSteps(_ expected: String, _ found: Int) -> StableDiffusionError {
        .invalidSetting(
            name: "steps", expected: "\(expected) for the scheduler \(kind.rawValue)", found: "\(found)")
    }
}
