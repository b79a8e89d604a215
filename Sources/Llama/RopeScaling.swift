import Checkpoints

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// How a model stretches its rotary embedding over a longer context than it was first trained with.
public enum RopeScaling: Sendable, Equatable {
    /// Not at all.
    case none
    /// Every position counts for 1 / `factor` (Chen et al. 2023).
    case linear(factor: Double)
    /// Low frequencies are divided by `factor`, high ones are left, and those between are blended (Llama 3.1).
    case llama3(
        factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalContextLength: Int)

    /// The radians per position of a pair that turns by `frequency` radians unscaled.
    func scaled(_ frequency: Double) -> Double {
        switch self {
        case .none:
            return frequency
        case .linear(let factor):
            return frequency / factor
        case .llama3(let factor, let low, let high, let originalContextLength):
            let turns = Double(originalContextLength) * frequency / (2 * Double.pi)
            if turns < low { return frequency / factor }
            if turns > high { return frequency }
            let blend = (turns - low) / (high - low)
            return (1 - blend) * frequency / factor + blend * frequency
        }
    }
}

extension RopeScaling {
    /// From a GGUF file's keys.
    init(_ metadata: GGUFMetadata) throws {
        let type = metadata.string("llama.rope.scaling.type") ?? "linear"
        let factor =
            try metadata.optionalDouble("llama.rope.scaling.factor", in: 0...1e6)
            ?? metadata.optionalDouble("llama.rope.scale_linear", in: 0...1e6) ?? 0
        switch type {
        case "none": self = .none
        // No factor means 1: some converters name the type alone.
        case "linear": self = factor == 0 || factor == 1 ? .none : .linear(factor: factor)
        default:
            throw LlamaError.unsupportedFeature(file: metadata.file, feature: "RoPE scaling of type \(type)")
        }
    }

    /// From `rope_parameters` or `rope_scaling` of a config.json.
    init(_ rope: ConfigFile) throws {
        let type = try rope.optionalString("rope_type") ?? rope.optionalString("type") ?? "default"
        switch type {
        case "default":
            self = .none
        case "linear":
            self = .linear(factor: try rope.double("factor", in: 1e-3...1e6))
        case "llama3":
            let low = try rope.double("low_freq_factor", in: 1e-3...1e6)
            let high = try rope.double("high_freq_factor", in: 1e-3...1e6)
            guard low < high else {
                throw LlamaError.invalidConfiguration(
                    file: rope.path, key: "high_freq_factor", expected: "more than low_freq_factor, \(low)",
                    found: "\(high)")
            }
            self = .llama3(
                factor: try rope.double("factor", in: 1e-3...1e6), lowFrequencyFactor: low,
                highFrequencyFactor: high,
                originalContextLength: try rope.int("original_max_position_embeddings", in: 1...1 << 22))
        default:
            throw LlamaError.unsupportedFeature(file: rope.path, feature: "RoPE scaling of type \(type)")
        }
    }
}

extension LlamaConfiguration {
    /// Radians per position of each pair of a head's elements, `[D / 2]`, scaled.
    var inverseFrequencies: [Float] {
        (0..<headDim / 2).map { pair in
            let frequency = pow(ropeTheta, -Double(2 * pair) / Double(headDim))
            return Float(ropeScaling.scaled(frequency) / Double(ropeDivisors?[pair] ?? 1))
        }
    }
}

extension LlamaConfiguration {
    /// What the scaling divides each frequency by, `[D / 2]`.
    public var frequencyDivisors: [Float] {
        (0..<headDim / 2).map { pair in
            let frequency = pow(ropeTheta, -Double(2 * pair) / Double(headDim))
            return Float(frequency / ropeScaling.scaled(frequency))
        }
    }
}

extension GGUFMetadata {
    /// An integer that may be missing, but must be right when it is there.
    func optionalInt(_ key: String, in range: ClosedRange<Int>) throws(CheckpointError) -> Int? {
        self[key] == nil ? nil : try requireInt(key, in: range)
    }

    /// A number that may be missing, but must be right when it is there.
    func optionalDouble(_ key: String, in range: ClosedRange<Double>) throws(CheckpointError) -> Double? {
        self[key] == nil ? nil : try requireDouble(key, in: range)
    }
}
