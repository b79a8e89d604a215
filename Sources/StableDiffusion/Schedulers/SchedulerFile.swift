import StrictJSON

/// A model's scheduler_config.json: settings for its own scheduler, or for another one that takes its place.
///
/// Another scheduler is set up as diffusers' `X.from_config(pipe.scheduler.config)` sets it up: by what the file says,
/// and by that scheduler's own defaults where it says nothing.
struct SchedulerFile: Sendable {
    /// The model's own.
    let kind: SchedulerKind
    /// What the file says that the network gives.
    let prediction: Prediction
    /// A sentence, where another scheduler takes the place of one that is not there.
    let warning: String?
    /// Whether the reference's pipeline for this model overrules two settings that early files had wrong.
    let isCorrected: Bool
    private let file: ConfigFile

    /// Reads which scheduler the file is of.
    ///
    /// - Throws: `unsupportedFeature` for a scheduler of another kind of model, `invalidConfiguration`.
    init(_ file: ConfigFile, isCorrected: Bool) throws(StableDiffusionError) {
        guard let name = try file.optionalString("_class_name") else {
            throw file.invalid("_class_name", "the name of a scheduler")
        }
        guard let known = Self.kinds[name] else {
            throw .unsupportedFeature(path: file.path, feature: "the scheduler \(quoted(name))")
        }
        var kind = known.kind
        var isExact = known.isExact
        if kind == .dpmpp2M {
            if try file.optionalBool("use_karras_sigmas") ?? false { kind = .dpmpp2MKarras }
            let algorithm = try file.optionalString("algorithm_type") ?? "dpmsolver++"
            isExact = isExact && ["dpmsolver++", "deis"].contains(algorithm)
        }
        self.kind = kind
        prediction = try file.choice("prediction_type") ?? .epsilon
        warning =
            isExact
            ? nil : "The model's own scheduler (\(name)) isn't available; \(kind.rawValue) takes its place."
        self.isCorrected = isCorrected
        self.file = file
    }

    /// The settings of `kind`; nil means the model's own.
    ///
    /// - Parameters:
    ///   - kind: the scheduler.
    ///   - prediction: overrules what the file says.
    /// - Returns: settings with every default filled in.
    /// - Throws: `unsupportedFeature`, `invalidConfiguration`.
    func configuration(
        for kind: SchedulerKind? = nil, prediction: Prediction? = nil
    ) throws(StableDiffusionError) -> SchedulerConfiguration {
        let kind = kind ?? self.kind
        let defaults = SchedulerDefaults(kind)
        try file.refuseUnknownSettings(of: kind)
        let trainingSteps = try file.int("num_train_timesteps", in: 1...100_000, default: 1000)
        let isOwn = kind == self.kind && warning == nil
        return SchedulerConfiguration(
            kind: kind,
            trainingSteps: trainingSteps,
            betaStart: try file.optionalDouble("beta_start", in: 0...1) ?? defaults.betaStart,
            betaEnd: try file.optionalDouble("beta_end", in: 0...1) ?? defaults.betaEnd,
            betaSchedule: try file.choice("beta_schedule") ?? defaults.betaSchedule,
            trainedBetas: try file.optionalFloats("trained_betas", count: trainingSteps, in: 0...1),
            rescalesToZeroSNR: kind == .pndm
                ? false : try file.optionalBool("rescale_betas_zero_snr") ?? false,
            prediction: prediction ?? self.prediction,
            spacing: try file.choice("timestep_spacing") ?? defaults.spacing,
            stepsOffset: try stepsOffset(isOwn: isOwn),
            clipRange: try clips(defaults, isOwn: isOwn)
                ? file.float("clip_sample_range", in: 0...1e6, default: 1) : nil,
            setsAlphaToOne: try file.optionalBool("set_alpha_to_one") ?? (kind != .pndm),
            skipsRungeKutta: try file.optionalBool("skip_prk_steps") ?? false,
            originalSteps: try file.optionalInt("original_inference_steps", in: 1...trainingSteps)
                ?? min(50, trainingSteps),
            timestepScaling: try file.optionalDouble("timestep_scaling", in: 0...1e6) ?? 10,
            usesKarrasSigmas: try usesKarrasSigmas(kind),
            sigmaMin: try file.optionalDouble("sigma_min", in: 0...1e6),
            sigmaMax: try file.optionalDouble("sigma_max", in: 0...1e6),
            finalSigma: try file.choice("final_sigmas_type") ?? .zero,
            interpolation: try file.choice("interpolation_type") ?? .linear,
            hasContinuousTimesteps: try file.text("timestep_type", ["discrete", "continuous"])
                == "continuous",
            solverOrder: try file.optionalInt("solver_order", in: 1...3) ?? 2,
            solverType: try solverType(kind),
            usesLowerOrderFinally: try file.optionalBool("lower_order_final") ?? true,
            usesEulerFinally: try file.optionalBool("euler_at_final") ?? false,
            lambdaMinClipped: try file.optionalDouble("lambda_min_clipped", in: -1e6...1e6) ?? -.infinity,
            predictsSample: try file.optionalBool("predict_x0") ?? true,
            disabledCorrectorSteps: try file.optionalInts("disable_corrector", in: -1...100_000) ?? [])
    }

    // MARK: - Two corrections

    /// Files from before 2022-09 lack the offset of 1 that the models were made with.
    private func stepsOffset(isOwn: Bool) throws(StableDiffusionError) -> Int {
        let written = try file.optionalInt("steps_offset", in: 0...1000)
        guard isCorrected, isOwn || written != nil else { return written ?? 0 }
        return 1
    }

    /// Latents are never clipped by a model's own scheduler, whatever its file says.
    private func clips(
        _ defaults: SchedulerDefaults, isOwn: Bool
    ) throws(StableDiffusionError) -> Bool {
        let written = try file.optionalBool("clip_sample")
        guard isCorrected, isOwn || written != nil else { return written ?? defaults.clips }
        return false
    }

    // MARK: - Settings that depend on the scheduler

    private func usesKarrasSigmas(
        _ kind: SchedulerKind
    ) throws(StableDiffusionError) -> Bool {
        switch kind {
        case .dpmpp2M: false
        case .dpmpp2MKarras: true
        default: try file.optionalBool("use_karras_sigmas") ?? false
        }
    }

    private func solverType(
        _ kind: SchedulerKind
    ) throws(StableDiffusionError) -> SchedulerConfiguration.SolverType {
        let names = SchedulerConfiguration.SolverType.allCases.map(\.rawValue) + ["logrho"]
        let written = try file.text("solver_type", names).flatMap(
            SchedulerConfiguration.SolverType.init(rawValue:))
        if kind == .unipc { return written == .bh1 ? .bh1 : .bh2 }
        return written == .heun ? .heun : .midpoint
    }

    /// Diffusers' classes, and whether the engine has just that scheduler or one that comes near it.
    private static let kinds: [String: (kind: SchedulerKind, isExact: Bool)] = [
        "DDIMScheduler": (.ddim, true), "PNDMScheduler": (.pndm, true),
        "EulerDiscreteScheduler": (.euler, true),
        "EulerAncestralDiscreteScheduler": (.eulerAncestral, true),
        "DPMSolverMultistepScheduler": (.dpmpp2M, true), "LCMScheduler": (.lcm, true),
        "TCDScheduler": (.tcd, true), "UniPCMultistepScheduler": (.unipc, true),
        "DDPMScheduler": (.ddim, false), "HeunDiscreteScheduler": (.euler, false),
        "LMSDiscreteScheduler": (.euler, false), "KDPM2DiscreteScheduler": (.euler, false),
        "KDPM2AncestralDiscreteScheduler": (.eulerAncestral, false),
        "DPMSolverSDEScheduler": (.dpmpp2M, false), "DEISMultistepScheduler": (.dpmpp2M, false),
        "DPMSolverSinglestepScheduler": (.dpmpp2M, false),
    ]
}

/// What a scheduler assumes where its file says nothing.
private struct SchedulerDefaults {
    let betaStart: Double, betaEnd: Double
    let betaSchedule: SchedulerConfiguration.BetaSchedule
    let spacing: SchedulerConfiguration.Spacing
    let clips: Bool

    init(_ kind: SchedulerKind) {
        let isConsistency = kind == .lcm || kind == .tcd
        betaStart = isConsistency ? 0.00085 : 0.0001
        betaEnd = isConsistency ? 0.012 : 0.02
        betaSchedule = isConsistency ? .scaledLinear : .linear
        spacing = isConsistency || kind == .ddim || kind == .pndm ? .leading : .linspace
        clips = kind == .ddim
    }
}
