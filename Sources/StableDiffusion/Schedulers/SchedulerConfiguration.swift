/// A scheduler's settings with every default filled in, under the names of diffusers' scheduler_config.json.
///
/// `SchedulerFile` makes one.
struct SchedulerConfiguration: Sendable, Equatable {
    enum BetaSchedule: String, CaseIterable {
        case linear
        case scaledLinear = "scaled_linear"
        case cosine = "squaredcos_cap_v2"
    }

    /// How the steps are spread over the training times (Lin and others 2024, table 2).
    enum Spacing: String, CaseIterable {
        case leading, trailing, linspace
    }

    /// The noise that is left after the last step.
    enum FinalSigma: String, CaseIterable {
        case zero
        case smallest = "sigma_min"
    }

    enum Interpolation: String, CaseIterable {
        case linear
        case logarithmic = "log_linear"
    }

    enum SolverType: String, CaseIterable {
        case midpoint, heun, bh1, bh2
    }

    let kind: SchedulerKind

    // The noise schedule.
    var trainingSteps: Int
    var betaStart: Double
    var betaEnd: Double
    var betaSchedule: BetaSchedule
    var trainedBetas: [Float]?
    var rescalesToZeroSNR: Bool

    // Steps.
    var prediction: Prediction
    var spacing: Spacing
    var stepsOffset: Int

    // DDIM, PNDM, LCM, TCD.
    /// The largest magnitude of a denoised estimate; nil without clipping.
    var clipRange: Float?
    var setsAlphaToOne: Bool
    var skipsRungeKutta: Bool
    var originalSteps: Int
    /// How many of the original steps may be visited, as a share: less than all with a start picture.
    var originalShare = 1.0
    var timestepScaling: Double

    // Noise levels.
    var usesKarrasSigmas: Bool
    var sigmaMin: Double?
    var sigmaMax: Double?
    var finalSigma: FinalSigma
    var interpolation: Interpolation
    var hasContinuousTimesteps: Bool

    // Multistep solvers.
    var solverOrder: Int
    var solverType: SolverType
    var usesLowerOrderFinally: Bool
    var usesEulerFinally: Bool
    var lambdaMinClipped: Double
    var predictsSample: Bool
    var disabledCorrectorSteps: [Int]
}
