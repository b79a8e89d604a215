import StrictJSON

/// A model's config.json, or an object in it, read with checks.
struct ConfigFile {
    /// The file, for errors.
    let path: String
    private let json: JSONValue

    init(_ json: JSONValue, path: String) {
        self.json = json
        self.path = path
    }

    /// Refuses other networks, and Llamas with parts that the engine doesn't have.
    func requireLlama() throws(LlamaError) {
        let architecture = json["architectures"]?.array?.first?.string
        let type = try optionalString("model_type")
        guard architecture ?? "LlamaForCausalLM" == "LlamaForCausalLM", type ?? "llama" == "llama" else {
            throw .unsupportedArchitecture(file: path, found: architecture ?? type ?? "unknown")
        }
        guard architecture != nil || type != nil else { throw invalid("model_type", "llama") }
        for key in ["attention_bias", "mlp_bias"] where try optionalBool(key) ?? false {
            throw .unsupportedFeature(file: path, feature: "biases (\(key))")
        }
        let activation = try optionalString("hidden_act") ?? "silu"
        guard ["silu", "swish"].contains(activation) else {
            throw .unsupportedFeature(file: path, feature: "the activation \(activation)")
        }
        guard try optionalDouble("partial_rotary_factor", in: 0...1) ?? 1 == 1 else {
            throw .unsupportedFeature(file: path, feature: "a partial rotary embedding")
        }
        guard value("quantization_config") == nil else {
            throw .unsupportedFeature(
                file: path, feature: "quantised safetensors (a GGUF file can be used instead)")
        }
    }

    /// A nested object; nil when it is missing or null.
    func object(_ key: String) -> ConfigFile? {
        guard let object = value(key), object.object != nil else { return nil }
        return ConfigFile(object, path: path)
    }

    func int(_ key: String, in range: ClosedRange<Int>) throws(LlamaError) -> Int {
        if let found = try optionalInt(key, in: range) { return found }
        throw invalid(key, "an integer from \(range.lowerBound) to \(range.upperBound)")
    }

    func optionalInt(_ key: String, in range: ClosedRange<Int>) throws(LlamaError) -> Int? {
        guard let value = value(key) else { return nil }
        guard let found = value.int, range.contains(found) else {
            throw invalid(key, "an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return found
    }

    func double(_ key: String, in range: ClosedRange<Double>) throws(LlamaError) -> Double {
        if let found = try optionalDouble(key, in: range) { return found }
        throw invalid(key, "a number from \(range.lowerBound) to \(range.upperBound)")
    }

    func optionalDouble(_ key: String, in range: ClosedRange<Double>) throws(LlamaError) -> Double? {
        guard let value = value(key) else { return nil }
        guard let found = value.double, range.contains(found) else {
            throw invalid(key, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return found
    }

    func optionalBool(_ key: String) throws(LlamaError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard let found = value.bool else { throw invalid(key, "true or false") }
        return found
    }

    func optionalString(_ key: String) throws(LlamaError) -> String? {
        guard let value = value(key) else { return nil }
        guard let found = value.string else { throw invalid(key, "a text") }
        return found
    }

    /// A member that is there and not null.
    private func value(_ key: String) -> JSONValue? {
        json[key].flatMap { $0.isNull ? nil : $0 }
    }

    private func invalid(_ key: String, _ expected: String) -> LlamaError {
        .invalidConfiguration(
            file: path, key: key, expected: expected, found: value(key)?.described ?? "nothing")
    }
}
