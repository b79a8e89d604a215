import Checkpoints
import StrictJSON

// Where configurations come from, and what the network's needs beside single values.

extension ComponentConfiguration {
    /// Reads a file: scheduler_config.json, model_index.json.
    init(file path: String) throws {
        try self.init(JSONValue(file: path), path: path)
    }

    /// The config.json that lies beside a part's weights.
    init(_ checkpoint: Checkpoint) throws {
        guard case .safetensors(let config, let directory) = checkpoint.format else {
            throw CheckpointError.missingFile(file: "config.json", neededBy: checkpoint.path)
        }
        try self.init(config, path: directory + "/config.json")
    }

    /// One integer for all of `count` levels, or a list of as many; nil when absent.
    func optionalIntPerLevel(
        _ key: String, count: Int, in range: ClosedRange<Int>
    ) throws(StableDiffusionError) -> [Int]? {
        guard contains(key) else { return nil }
        if json[key]?.array != nil { return try optionalInts(key, count: count, in: range) }
        return try optionalInt(key, in: range).map { Array(repeating: $0, count: count) }
    }

    /// One truth value for all of `count` levels, or a list of as many.
    func boolPerLevel(
        _ key: String, count: Int, default fallback: Bool
    ) throws(StableDiffusionError) -> [Bool] {
        guard let list = json[key]?.array else {
            return Array(repeating: try bool(key, default: fallback), count: count)
        }
        let found = list.compactMap(\.bool)
        guard found.count == count, list.count == count else {
            throw invalid(key, "\(count) of true or false")
        }
        return found
    }

    /// Refuses every value of `key` but `accepted`; absent is accepted.
    func require(_ key: String, _ accepted: JSONValue) throws(StableDiffusionError) {
        guard contains(key), let value = json[key], value != accepted else { return }
        if let found = value.double, found == accepted.double { return }
        throw unsupported("\(key) = \(value.described)")
    }
}
