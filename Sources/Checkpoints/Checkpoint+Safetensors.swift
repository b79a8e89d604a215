import StrictJSON

extension Checkpoint {
    private static let configName = "config.json"
    private static let indexName = "model.safetensors.index.json"
    private static let singleName = "model.safetensors"

    /// Opens a directory as Hugging Face lays it out.
    static func openDirectory(_ directory: String) throws(CheckpointError) -> Checkpoint {
        let indexPath = join(directory, indexName)
        if case .other = PathKind(indexPath) { return try openSharded(directory, indexPath) }
        let path = join(directory, singleName)
        guard case .other = PathKind(path) else {
            throw .unknownFormat(
                file: directory, found: "a directory with neither \(singleName) nor \(indexName)")
        }
        return try openSingle(path, try FileMapping(path), directory)
    }

    /// Opens a `.safetensors` file; when it is one shard of several, all of them.
    static func openSafetensors(_ path: String, _ file: FileMapping) throws(CheckpointError) -> Checkpoint {
        let (directory, name) = split(path)
        let indexPath = join(directory, indexName)
        if name != singleName, case .other = PathKind(indexPath),
            try weightMap(indexPath).contains(where: { $0.file == name })
        {
            return try openSharded(directory, indexPath)
        }
        return try openSingle(path, file, directory)
    }

    static func openSingle(
        _ path: String, _ file: FileMapping, _ directory: String
    ) throws(CheckpointError) -> Checkpoint {
        let header = try SafetensorsHeader(file.bytes, file: path)
        var collector = TensorCollector()
        try collector.add(header.records, of: file)
        let config = try config(directory, neededBy: path)
        return collector.checkpoint(
            path, .safetensors(config: config, directory: directory), metadata: header.metadata)
    }

    static func openSharded(
        _ directory: String, _ indexPath: String
    ) throws(CheckpointError) -> Checkpoint {
        let map = try weightMap(indexPath)
        let config = try config(directory, neededBy: indexPath)
        var namesByFile: [String: Set<String>] = [:]
        for entry in map { namesByFile[entry.file, default: []].insert(entry.tensor) }
        var collector = TensorCollector()
        for (name, tensors) in namesByFile.sorted(by: { $0.key < $1.key }) {
            let path = join(directory, name)
            if case .absent = PathKind(path) { throw .missingFile(file: path, neededBy: indexPath) }
            let file = try FileMapping(path)
            let records = try SafetensorsHeader(file.bytes, file: path).records
            // The index decides what belongs to the model.
            let chosen = records.filter { tensors.contains($0.name) }
            if let missing = tensors.subtracting(chosen.map(\.name)).min() {
                throw .missingTensor(file: path, tensor: missing, expected: "named by \(indexPath)")
            }
            try collector.add(chosen, of: file)
        }
        return collector.checkpoint(directory, .safetensors(config: config, directory: directory))
    }

    /// The index's map from tensors to files, whose names may not lead out of the directory.
    private static func weightMap(
        _ indexPath: String
    ) throws(CheckpointError) -> [(tensor: String, file: String)] {
        let limits = JSONLimits(byteCount: 16 << 20, depth: 8, valueCount: 1 << 18)
        guard let map = try JSONValue(file: indexPath, limits: limits)["weight_map"]?.object else {
            throw .missingKey(file: indexPath, key: "weight_map", expected: "an object from tensor to file")
        }
        guard map.count <= SafetensorsHeader.Limit.tensors else {
            throw .exceedsLimit(
                file: indexPath, what: "the number of tensors",
                limit: UInt64(SafetensorsHeader.Limit.tensors),
                found: UInt64(map.count))
        }
        var result: [(tensor: String, file: String)] = []
        for (tensor, value) in map.members {
            guard let file = value.string, file.hasSuffix(".safetensors"), !file.hasPrefix("."),
                !file.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == 0 })
            else {
                throw .invalidKey(
                    file: indexPath, key: "weight_map." + tensor,
                    expected: "the name of a .safetensors file in the same directory", found: value.described)
            }
            result.append((tensor, file))
        }
        return result
    }

    private static func config(
        _ directory: String, neededBy: String
    ) throws(CheckpointError) -> JSONValue {
        let path = join(directory, configName)
        if case .absent = PathKind(path) { throw .missingFile(file: path, neededBy: neededBy) }
        let config = try JSONValue(file: path)
        guard case .object = config else {
            throw .invalidHeader(file: path, expected: "a JSON object", found: config.described)
        }
        return config
    }

    static func join(_ directory: String, _ name: String) -> String {
        directory.hasSuffix("/") ? directory + name : directory + "/" + name
    }

    private static func split(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let directory = path[..<slash]
        return (directory.isEmpty ? "/" : String(directory), String(path[path.index(after: slash)...]))
    }
}
