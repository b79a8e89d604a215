import StrictJSON

/// A model's scheduler_config.json: settings for its own scheduler, or for another one that takes its place.
///
/// Another scheduler is set up as diffusers' `X.from_config(pipe.scheduler.config)` sets it up: by what the file says,
/// and by that scheduler's own defaults where it says nothing.
struct SchedulerFile: Sendable {
    /// The model's own.
    let kind: SchedulerKind
    /// A sentence, where another scheduler takes the place of one that is not there.
    let warning: String?
    /// Whether the reference's pipeline for this model overrules two settings that early files had wrong.
    let isCorrected: Bool
    private let json: JSONValue
    private let path: String

    /// Reads `json`, the contents of the file at `path`.
    ///
    /// - Throws: `unsupportedFeature` for a scheduler of another kind of model, `invalidConfiguration`.
    init(_ json: JSONValue, path: String, isCorrected: Bool) throws(StableDiffusionError) {
        guard let name = json["_class_name"]?.string else {
            throw .invalidConfiguration(
                file: path, key: "_class_name", expected: "the name of a scheduler",
                found: json["_class_name"]?.described ?? "nothing")
        }
        guard let known = Self.kinds[name] else {
            throw .unsupportedFeature(path: path, feature: "the scheduler \(quoted(name))")
        }
        var kind = known.kind
        var isExact = known.isExact
        if kind == .dpmpp2M {
            if json["use_karras_sigmas"]?.bool == true { kind = .dpmpp2MKarras }
            let algorithm = json["algorithm_type"]?.string ?? "dpmsolver++"
            isExact = isExact && ["dpmsolver++", "deis"].contains(algorithm)
        }
        self.kind = kind
        warning =
            isExact
            ? nil : "The model's own scheduler (\(name)) isn't available; \(kind.rawValue) takes its place."
        self.isCorrected = isCorrected
        self.json = json
        self.path = path
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
        let fields = SchedulerFields(json: json, path: path)
        try fields.refuse(for: kind)
        let trainingSteps = try fields.int("num_train_timesteps", 1...100_000) ?? 1000
        let betas = try fields.numbers("trained_betas", count: trainingSteps, 0...1)
        let written: Prediction? = try fields.choice("prediction_type")
        let isOwn = kind == self.kind && warning == nil
        return SchedulerConfiguration(
            kind: kind,
            trainingSteps: trainingSteps,
            betaStart: try fields.double("beta_start", 0...1) ?? defaults.betaStart,
            betaEnd: try fields.double("beta_end", 0...1) ?? defaults.betaEnd,
            betaSchedule: try fields.choice("beta_schedule") ?? defaults.betaSchedule,
            trainedBetas: betas?.map(Float.init),
            rescalesToZeroSNR: kind == .pndm ? false : try fields.bool("rescale_betas_zero_snr") ?? false,
            prediction: prediction ?? written ?? .epsilon,
            spacing: try fields.choice("timestep_spacing") ?? defaults.spacing,
            stepsOffset: try stepsOffset(fields, isOwn: isOwn),
            clipRange: try clips(fields, defaults, isOwn: isOwn)
                ? Float(fields.double("clip_sample_range", 0...1e6) ?? 1) : nil,
            setsAlphaToOne: try fields.bool("set_alpha_to_one") ?? (kind != .pndm),
            skipsRungeKutta: try fields.bool("skip_prk_steps") ?? false,
            originalSteps: try fields.int("original_inference_steps", 1...trainingSteps)
                ?? min(50, trainingSteps),
            timestepScaling: try fields.double("timestep_scaling", 0...1e6) ?? 10,
            usesKarrasSigmas: try usesKarrasSigmas(fields, kind),
            sigmaMin: try fields.double("sigma_min", 0...1e6),
            sigmaMax: try fields.double("sigma_max", 0...1e6),
            finalSigma: try fields.choice("final_sigmas_type") ?? .zero,
            interpolation: try fields.choice("interpolation_type") ?? .linear,
            hasContinuousTimesteps: try fields.text("timestep_type", ["discrete", "continuous"])
                == "continuous",
            solverOrder: try fields.int("solver_order", 1...3) ?? 2,
            solverType: try solverType(fields, kind),
            usesLowerOrderFinally: try fields.bool("lower_order_final") ?? true,
            usesEulerFinally: try fields.bool("euler_at_final") ?? false,
            lambdaMinClipped: try fields.double("lambda_min_clipped", -1e6...1e6) ?? -.infinity,
            predictsSample: try fields.bool("predict_x0") ?? true,
            disabledCorrectorSteps: try fields.steps("disable_corrector") ?? [])
    }

    // MARK: - Two corrections

    /// Files from before 2022-09 lack the offset of 1 that the models were made with.
    private func stepsOffset(_ fields: SchedulerFields, isOwn: Bool) throws(StableDiffusionError) -> Int {
        let written = try fields.int("steps_offset", 0...1000)
        guard isCorrected, isOwn || written != nil else { return written ?? 0 }
        return 1
    }

    /// Latents are never clipped by a model's own scheduler, whatever its file says.
    private func clips(
        _ fields: SchedulerFields, _ defaults: SchedulerDefaults, isOwn: Bool
    ) throws(StableDiffusionError) -> Bool {
        let written = try fields.bool("clip_sample")
        guard isCorrected, isOwn || written != nil else { return written ?? defaults.clips }
        return false
    }

    // MARK: - Settings that depend on the scheduler

    private func usesKarrasSigmas(
        _ fields: SchedulerFields, _ kind: SchedulerKind
    ) throws(StableDiffusionError) -> Bool {
        switch kind {
        case .dpmpp2M: false
        case .dpmpp2MKarras: true
        default: try fields.bool("use_karras_sigmas") ?? false
        }
    }

    private func solverType(
        _ fields: SchedulerFields, _ kind: SchedulerKind
    ) throws(StableDiffusionError) -> SchedulerConfiguration.SolverType {
        let names = SchedulerConfiguration.SolverType.allCases.map(\.rawValue) + ["logrho"]
        let written = try fields.text("solver_type", names).flatMap(
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
