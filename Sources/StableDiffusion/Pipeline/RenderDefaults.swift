import StrictJSON

/// What a model does when a request doesn't say: the habits of its kind, as far as its files tell the kind.
struct RenderDefaults: Sendable, Equatable {
    let steps: Int
    let guidanceScale: Double

    /// What a model's files say themselves.
    struct Written: Sendable, Equatable {
        let steps: Int?
        let guidanceScale: Double?

        /// Nothing is said.
        static let nothing = Written(steps: nil, guidanceScale: nil)

        init(steps: Int?, guidanceScale: Double?) {
            self.steps = steps
            self.guidanceScale = guidanceScale
        }

        /// Reads `"_inkling": {"steps": 2, "guidance_scale": 1}` of a model_index.json: diffusers passes over names
        /// that begin so.
        init(_ index: ConfigFile) throws(StableDiffusionError) {
            guard let json = index.value("_inkling") else {
                self = .nothing
                return
            }
            guard case .object = json else { throw index.invalid("_inkling", "an object") }
            let file = ConfigFile(json, path: index.path)
            steps = try file.optionalInt("steps", in: 1...1000)
            guidanceScale = try file.optionalDouble("guidance_scale", in: 0...1000)
        }
    }

    init(
        _ configuration: SchedulerConfiguration, _ network: UNetConfiguration, isOwnScheduler: Bool,
        written: Written = .nothing
    ) {
        let usual = Self.usual(configuration, network, isOwnScheduler: isOwnScheduler)
        // Few steps are a habit of the model's own scheduler; whether it needs guidance doesn't depend on that.
        steps = isOwnScheduler ? written.steps ?? usual.steps : usual.steps
        guidanceScale = written.guidanceScale ?? usual.guidanceScale
    }

    private static func usual(
        _ configuration: SchedulerConfiguration, _ network: UNetConfiguration, isOwnScheduler: Bool
    ) -> (steps: Int, guidanceScale: Double) {
        if network.guidanceEmbeddingSize != nil {
            // Latent consistency models know the scale as an input; the value is that of diffusers' pipeline.
            return (4, 8.5)
        } else if configuration.kind == .lcm || configuration.kind == .tcd {
            return (4, 1)
        } else if isOwnScheduler, isDistilled(configuration) {
            return (4, 0)
        } else {
            return (20, network.added == nil ? 7.5 : 5)
        }
    }

    /// Whether this is the schedule of the turbo models: Euler's, from the last training time on, for the noise.
    ///
    /// Networks that were trained on pure noise begin there too, but give velocities.
    private static func isDistilled(_ configuration: SchedulerConfiguration) -> Bool {
        (configuration.kind == .euler || configuration.kind == .eulerAncestral)
            && configuration.spacing == .trailing && configuration.prediction == .epsilon
            && !configuration.rescalesToZeroSNR
    }
}
