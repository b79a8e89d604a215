/// What a model does when a request doesn't say: the habits of its kind, as far as its files tell the kind.
struct RenderDefaults: Sendable, Equatable {
    let steps: Int
    let guidanceScale: Double

    init(_ configuration: SchedulerConfiguration, _ network: UNetConfiguration, isOwnScheduler: Bool) {
        if network.guidanceEmbeddingSize != nil {
            // Latent consistency models know the scale as an input; the value is that of diffusers' pipeline.
            (steps, guidanceScale) = (4, 8.5)
        } else if configuration.kind == .lcm || configuration.kind == .tcd {
            (steps, guidanceScale) = (4, 1)
        } else if isOwnScheduler, Self.isDistilled(configuration) {
            (steps, guidanceScale) = (4, 0)
        } else {
            (steps, guidanceScale) = (20, network.added == nil ? 7.5 : 5)
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
