import Checkpoints
import StrictJSON

/// A JSON file of a model (config.json, scheduler_config.json, model_index.json), or an object in it, read with checks.
///
/// null counts as absent, as in diffusers' files.
struct ConfigFile: Sendable {
    /// The file, for errors.
    let path: String
    let json: JSONValue

    /// What is at hand already.
    init(_ json: JSONValue, path: String) {
        self.json = json
        self.path = path
    }

    /// Reads a file.
    init(_ path: String) throws {
        var limits = JSONLimits(byteCount: 1 << 20)
        limits.takesNonFinite = true  // Python's json writes -Infinity for a limit that there isn't
        let json = try JSONValue(file: path, limits: limits)
        guard case .object = json else {
            throw CheckpointError.invalidHeader(file: path, expected: "a JSON object", found: json.described)
        }
        self.init(json, path: path)
    }

    /// The config.json that lies beside a part's weights.
    init(_ checkpoint: Checkpoint) throws {
        guard case .safetensors(let config, let directory) = checkpoint.format else {
            throw CheckpointError.missingFile(file: "config.json", neededBy: checkpoint.path)
        }
        self.init(config, path: directory + "/config.json")
    }

    /// Whether the key is there with another value than null.
    func contains(_ key: String) -> Bool { value(key) != nil }

    func int(_ key: String, in range: ClosedRange<Int>) throws(StableDiffusionError) -> Int {
        if let found = try optionalInt(key, in: range) { return found }
        throw invalid(key, Self.expected(range))
    }

    func optionalInt(_ key: String, in range: ClosedRange<Int>) throws(StableDiffusionError) -> Int? {
        guard let value = value(key) else { return nil }
        guard let found = value.int, range.contains(found) else { throw invalid(key, Self.expected(range)) }
        return found
    }

    func optionalDouble(
        _ key: String, in range: ClosedRange<Double>
    ) throws(StableDiffusionError) -> Double? {
        guard let value = value(key) else { return nil }
        guard let found = value.double, range.contains(found) else {
            throw invalid(key, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return found
    }

    func optionalBool(_ key: String) throws(StableDiffusionError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard let found = value.bool else { throw invalid(key, "true or false") }
        return found
    }

    func optionalString(_ key: String) throws(StableDiffusionError) -> String? {
        guard let value = value(key) else { return nil }
        guard let found = value.string else { throw invalid(key, "a text") }
        return found
    }

    /// A list, with at most `limit` elements.
    func optionalArray(_ key: String, atMost limit: Int = 64) throws(StableDiffusionError) -> [JSONValue]? {
        guard let value = value(key) else { return nil }
        guard let found = value.array, found.count <= limit else {
            throw invalid(key, "a list of at most \(limit)")
        }
        return found
    }

    func optionalInts(_ key: String, in range: ClosedRange<Int>) throws(StableDiffusionError) -> [Int]? {
        guard let array = try optionalArray(key) else { return nil }
        let ints = array.compactMap { $0.int.flatMap { range.contains($0) ? $0 : nil } }
        guard ints.count == array.count else { throw invalid(key, "a list of integers, each \(range)") }
        return ints
    }

    func optionalStrings(_ key: String) throws(StableDiffusionError) -> [String]? {
        guard let array = try optionalArray(key) else { return nil }
        let strings = array.compactMap(\.string)
        guard strings.count == array.count else { throw invalid(key, "a list of texts") }
        return strings
    }

    /// One integer for all of `count` levels, or a list of as many; nil when absent.
    func optionalIntPerLevel(
        _ key: String, count: Int, in range: ClosedRange<Int>
    ) throws(StableDiffusionError) -> [Int]? {
        guard let value = value(key) else { return nil }
        if value.array == nil, let same = try optionalInt(key, in: range) {
            return Array(repeating: same, count: count)
        }
        guard let list = try optionalInts(key, in: range), list.count == count else {
            throw invalid(key, "an integer, or a list of \(count)")
        }
        return list
    }

    /// Refuses any value of `key` but `accepted`; absent counts as accepted.
    func require(_ key: String, _ accepted: JSONValue) throws(StableDiffusionError) {
        guard let value = value(key), value != accepted else { return }
        if let found = value.double, found == accepted.double { return }
        throw .unsupportedFeature(path: path, feature: "\(key) = \(value.described)")
    }

    /// A member that is there and not null.
    func value(_ key: String) -> JSONValue? {
        json[key].flatMap { $0.isNull ? nil : $0 }
    }

    func invalid(_ key: String, _ expected: String) -> StableDiffusionError {
        .invalidConfiguration(
            file: path, key: key, expected: expected, found: value(key)?.described ?? "nothing")
    }

    private static func expected(_ range: ClosedRange<Int>) -> String {
        "an integer from \(range.lowerBound) to \(range.upperBound)"
    }
}
