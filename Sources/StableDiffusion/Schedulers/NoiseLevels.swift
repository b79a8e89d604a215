import Glibc

/// Noise levels of a scheduler that integrates over them, and the training times that belong to them.
struct NoiseLevels: Sendable, Equatable {
    /// Descending; the last one is that after the last step.
    let sigmas: [Float]
    let timesteps: [Float]

    /// Levels read off the noise schedule at `timesteps`.
    init(at timesteps: [Float], _ configuration: SchedulerConfiguration, _ schedule: NoiseSchedule) {
        let table = schedule.sigmas
        self.timesteps = timesteps
        sigmas =
            timesteps.map { Float(Self.interpolated(Double($0), in: table)) }
            + [Self.final(configuration, table)]
    }

    /// Levels of Karras and others 2022, equation 5 with ρ = 7, from `greatest` down to `smallest`; the training times are
    /// those at which the schedule has them.
    init(
        karras count: Int, from greatest: Double, to smallest: Double, rounded: Bool,
        _ configuration: SchedulerConfiguration, _ schedule: NoiseSchedule
    ) {
        let rho = 7.0
        let (high, low) = (
            pow(configuration.sigmaMax ?? greatest, 1 / rho), pow(configuration.sigmaMin ?? smallest, 1 / rho)
        )
        let levels = (0..<count).map { index in
            let fraction =
                count == 1 ? 0 : index == count - 1 ? 1 : Double(index) * (1 / Double(count - 1))
            return pow(high + fraction * (low - high), rho)
        }
        let table = schedule.sigmas
        let logarithms = table.map(logf)
        timesteps = levels.map { level in
            let time = Self.time(of: level, logarithms)
            return Float(rounded ? time.rounded(.toNearestOrEven) : time)
        }
        sigmas = levels.map(Float.init) + [Self.final(configuration, table)]
    }

    init(sigmas: [Float], timesteps: [Float]) {
        self.sigmas = sigmas
        self.timesteps = timesteps
    }

    /// Whether a solver can divide by the differences of the levels.
    var isDescending: Bool {
        zip(sigmas, sigmas.dropFirst()).allSatisfy { $0 > $1 } && sigmas.allSatisfy(\.isFinite)
    }

    /// The level after the last step.
    static func final(_ configuration: SchedulerConfiguration, _ table: [Float]) -> Float {
        configuration.finalSigma == .zero ? 0 : table[0]
    }

    /// The value of `table` between its entries, linearly.
    static func interpolated(_ position: Double, in table: [Float]) -> Double {
        let index = min(max(Int(position), 0), table.count - 1)
        guard index + 1 < table.count else { return Double(table[index]) }
        let (low, high) = (Double(table[index]), Double(table[index + 1]))
        return (high - low) * (position - Double(index)) + low
    }

    /// The training time of a level, linear in the levels' logarithms.
    private static func time(of level: Double, _ logarithms: [Float]) -> Double {
        guard logarithms.count > 1 else { return 0 }
        let logarithm = log(max(level, 1e-10))
        let below = logarithms.lastIndex { Double($0) <= logarithm } ?? 0
        let index = min(below, logarithms.count - 2)
        let (low, high) = (Double(logarithms[index]), Double(logarithms[index + 1]))
        let weight = min(max((low - logarithm) / (low - high), 0), 1)
        return (1 - weight) * Double(index) + weight * Double(index + 1)
    }
}
