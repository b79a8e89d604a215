import AssistantAPI
import FoundationEssentials

/// A model on disk and the name by which requests ask for it.
struct ModelFile: Sendable, Hashable {
    /// The file's name without its ending, the directory's name, or the absolute path of a model elsewhere.
    var name: String
    /// A GGUF file (the first one of a split model), or a directory with config.json and safetensors.
    var path: String
}

/// Finds models by name in the directories that hold them.
struct ModelCatalog: Sendable {
    private let directories: [String]
    private let defaultModel: String?

    /// - Parameters:
    ///   - directories: Searched in this order; a name that is in two means the one in the first.
    ///   - defaultModel: The name or path that a request without one means.
    init(directories: [String], defaultModel: String?) {
        self.directories = directories
        self.defaultModel = defaultModel
    }

    /// The models there are now, by name.
    func models() -> [ModelFile] {
        var found: [String: ModelFile] = [:]
        for directory in directories {
            for model in Self.models(in: directory) where found[model.name] == nil {
                found[model.name] = model
            }
        }
        let known = found.values.sorted { $0.name < $1.name }
        guard let path = defaultModel, path.hasPrefix("/"), Self.isModel(path),
            !known.contains(where: { $0.path == path })
        else { return known }
        // A default model that lies elsewhere is there to be asked for like the others.
        return [ModelFile(name: path, path: path)] + known
    }

    /// The model that a request means: a known name (in any case), an absolute path, or `nil` for the default.
    ///
    /// - Throws: `modelNotFound` with the names there are, the nearest first.
    func resolve(_ request: String?) throws(AssistantError) -> ModelFile {
        let models = models()
        let name = request ?? defaultModel ?? ""
        if name.isEmpty {
            if let first = models.first { return first }
            throw AssistantError(.modelNotFound, "There is no model yet. \(advice)", parameter: "model")
        }
        if name.hasPrefix("/") {
            if let known = models.first(where: { $0.path == name }) { return known }
            guard Self.isModel(name) else { throw missingPath(name) }
            return ModelFile(name: name, path: name)
        }
        if let exact = models.first(where: { $0.name == name }) { return exact }
        let lowered = Self.key(name)
        if let match = models.first(where: { Self.key($0.name) == lowered }) { return match }
        if let match = models.first(where: { Self.withoutQuantization(Self.key($0.name)) == lowered }) {
            return match
        }
        throw unknown(name, among: models.map(\.name))
    }

    private var advice: String {
        "Put a .gguf file or a Hugging Face directory into \(directories.last ?? "the models directory"), "
            + "or name one by its absolute path."
    }

    private func missingPath(_ path: String) -> AssistantError {
        AssistantError(
            .modelNotFound,
            "There is no GGUF file and no directory with config.json and safetensors at \(path).",
            parameter: "model")
    }

    private func unknown(_ name: String, among names: [String]) -> AssistantError {
        let nearest = names.sorted { Self.distance(name, $0) < Self.distance(name, $1) }
        guard let best = nearest.first else {
            return AssistantError(
                .modelNotFound, "There is no model \"\(name)\". \(advice)", parameter: "model")
        }
        let list = nearest.prefix(10).joined(separator: ", ")
        let question = Self.distance(name, best) <= max(2, name.count / 2) ? " Did you mean \(best)?" : ""
        return AssistantError(
            .modelNotFound, "There is no model \"\(name)\".\(question) There is: \(list).", parameter: "model"
        )
    }

    // MARK: - Directories

    private static func models(in directory: String) -> [ModelFile] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.sorted().compactMap { name in
            guard !name.hasPrefix(".") else { return nil }
            let path = directory + "/" + name
            if name.hasSuffix(".gguf") { return ggufModel(name: name, path: path) }
            return isModelDirectory(path) ? ModelFile(name: name, path: path) : nil
        }
    }

    /// A GGUF file; of a split model only the first part counts, by the name that all parts share.
    private static func ggufModel(name: String, path: String) -> ModelFile? {
        let stem = String(name.dropLast(5))
        let parts = stem.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count > 3, parts[parts.count - 2] == "of", isPartNumber(parts[parts.count - 3]),
            isPartNumber(parts[parts.count - 1])
        else { return ModelFile(name: stem, path: path) }
        guard Int(parts[parts.count - 3]) == 1 else { return nil }
        return ModelFile(name: parts.dropLast(3).joined(separator: "-"), path: path)
    }

    private static func isPartNumber(_ text: Substring) -> Bool {
        text.utf8.count == 5 && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    private static func isModel(_ path: String) -> Bool {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { return false }
        return isDirectory
            ? isModelDirectory(path) : path.hasSuffix(".gguf") || path.hasSuffix(".safetensors")
    }

    private static func isModelDirectory(_ path: String) -> Bool {
        guard FileManager.default.fileExists(atPath: path + "/config.json") else { return false }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.contains { $0.hasSuffix(".safetensors") || $0.hasSuffix(".safetensors.index.json") }
    }

    // MARK: - Names

    /// A name as it is compared: lower case, without an ending that people tend to type.
    private static func key(_ name: String) -> String {
        let lowered = name.lowercased()
        return lowered.hasSuffix(".gguf") ? String(lowered.dropLast(5)) : lowered
    }

    /// A name without the weights' type at its end: `smollm2-135m-instruct` of `smollm2-135m-instruct.q4_1`.
    static func withoutQuantization(_ name: String) -> String {
        guard let mark = name.lastIndex(where: { $0 == "-" || $0 == "." }) else { return name }
        let ending = name[name.index(after: mark)...]
        let isType =
            ["f16", "f32", "bf16"].contains(ending)
            || ((ending.hasPrefix("q") || ending.hasPrefix("iq")) && ending.contains(where: \.isNumber))
        return isType ? String(name[..<mark]) : name
    }

    /// How many letters must be changed, added or left out to make one name the other (Levenshtein).
    static func distance(_ one: String, _ other: String) -> Int {
        let (a, b) = (Array(one.lowercased().utf8.prefix(128)), Array(other.lowercased().utf8.prefix(128)))
        var row = Array(0...b.count)
        for i in a.indices {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let substituted = diagonal + (a[i] == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}
