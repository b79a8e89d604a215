import AssistantAPI
import FoundationEssentials

/// A model on disk and the name by which requests ask for it.
struct ModelFile: Sendable, Hashable {
    /// The file's name without its ending, the directory's name, or the absolute path of a model elsewhere.
    var name: String
    /// A GGUF file (the first one of a split model), or a directory with config.json and safetensors; of a picture
    /// model a diffusers directory or a single checkpoint in safetensors.
    var path: String
    var kind = ModelSummary.Kind.chat
}

/// Finds models by name in the directories that hold them.
struct ModelCatalog: Sendable {
    /// The picture model that comes with the program, and that paints where none is named.
    static let ownPictureModel = "inkling-scenes"

    private let directories: [String]
    /// What came with the program, after all others.
    private let shipped: [String]
    private let defaults: [ModelSummary.Kind: String]
    private let kinds = ModelKinds()

    /// - Parameters:
    ///   - directories: Searched in this order; a name that is in two means the one in the first.
    ///   - shipped: Searched after these, for what came with the program.
    ///   - defaultModel: The name or path that a question without one means.
    ///   - defaultPictureModel: The name or path that a request for pictures without one means; nil is the one
    ///     that comes with the program, else the first there is.
    init(
        directories: [String], shipped: [String] = [], defaultModel: String?,
        defaultPictureModel: String? = nil
    ) {
        self.directories = directories
        self.shipped = shipped
        var defaults: [ModelSummary.Kind: String] = [:]
        defaults[.chat] = defaultModel
        defaults[.picture] = defaultPictureModel
        self.defaults = defaults
    }

    /// The models there are now, of both kinds, by name.
    func models() -> [ModelFile] {
        var found: [String: ModelFile] = [:]
        for directory in directories + shipped {
            for model in models(in: directory) where found[model.name] == nil { found[model.name] = model }
        }
        let known = found.values.sorted { $0.name < $1.name }
        // A default model that lies elsewhere is there to be asked for like the others.
        let elsewhere = [ModelSummary.Kind.chat, .picture].compactMap { kind -> ModelFile? in
            guard let path = defaults[kind], path.hasPrefix("/"), kinds.kind(of: path) == kind,
                !known.contains(where: { $0.path == path })
            else { return nil }
            return ModelFile(name: path, path: path, kind: kind)
        }
        return elsewhere + known
    }

    /// The model that a request means: a known name (in any case), an absolute path, or `nil` for the default.
    ///
    /// - Throws: `modelNotFound` with the names there are, the nearest first; `invalidRequest` for a model of the other
    ///   kind.
    func resolve(
        _ request: String?, kind: ModelSummary.Kind = .chat
    ) throws(AssistantError) -> ModelFile {
        let all = models()
        let models = all.filter { $0.kind == kind }
        let name = request ?? defaults[kind] ?? ""
        if name.isEmpty {
            let own = models.first { kind == .picture && $0.name == Self.ownPictureModel }
            if let model = own ?? models.first { return model }
            throw AssistantError(
                .modelNotFound, "There is no \(Self.noun(kind)) yet. \(advice(kind))", parameter: "model")
        }
        if name.hasPrefix("/") {
            let name = kinds.kind(of: name) == nil ? Self.withoutTag(name) : name
            if let known = models.first(where: { $0.path == name }) { return known }
            switch kinds.kind(of: name) {
            case kind: return ModelFile(name: name, path: name, kind: kind)
            case nil: throw missingPath(name, kind)
            case .some: throw Self.otherKind(name, kind)
            }
        }
        if let match = Self.find(name, in: models) { return match }
        if let other = Self.find(name, in: all) { throw Self.otherKind(other.name, kind) }
        throw unknown(name, among: models.map(\.name), kind)
    }

    /// The model of either kind that a name or absolute path means.
    ///
    /// - Throws: `modelNotFound` with the names there are, the nearest first.
    func resolveAny(_ name: String) throws(AssistantError) -> ModelFile {
        do throws(AssistantError) {
            return try resolve(name, kind: .chat)
        } catch {
            guard error.code == .invalidRequest else { throw error }
            return try resolve(name, kind: .picture)
        }
    }

    private static func find(_ name: String, in models: [ModelFile]) -> ModelFile? {
        if let exact = models.first(where: { $0.name == name }) { return exact }
        let lowered = key(name)
        if let match = models.first(where: { key($0.name) == lowered }) { return match }
        return models.first { withoutQuantization(key($0.name)) == lowered }
    }

    // MARK: - Files beside the models

    /// The file of a LoRA: an absolute path, or a name in the folders or in `loras` below them.
    ///
    /// - Throws: `invalidRequest`.
    func lora(_ name: String) throws(AssistantError) -> String {
        let candidates =
            name.hasPrefix("/")
            ? [name]
            : directories.flatMap { ["\($0)/loras/\(name)", "\($0)/\(name)"] }.flatMap {
                [$0, $0 + ".safetensors"]
            }
        let isPlain = name.hasPrefix("/") || !name.split(separator: "/").contains("..")
        if isPlain, let path = candidates.first(where: { Self.isFile($0, ending: ".safetensors") }) {
            return path
        }
        throw AssistantError(
            .invalidRequest,
            "There is no LoRA \"\(name.prefix(200))\"; it is an absolute path of a .safetensors file, or the name of "
                + "one in \(directories.last ?? "the models directory")/loras.",
            parameter: "loras")
    }

    /// A tiny decoder that a person put beside the models, by its name; `nil` where there is none.
    func tinyDecoder(_ name: String) -> String? {
        directories.lazy.flatMap { ["\($0)/\(name)", "\($0)/\(name).safetensors"] }.first { path in
            Self.isFile(path + "/config.json", ending: ".json") || Self.isFile(path, ending: ".safetensors")
        }
    }

    private static func isFile(_ path: String, ending: String) -> Bool {
        var isDirectory = false
        return path.hasSuffix(ending)
            && FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
            && !isDirectory
    }

    // MARK: - Refusals

    private static func noun(_ kind: ModelSummary.Kind) -> String {
        kind == .chat ? "model" : "model for pictures"
    }

    private func advice(_ kind: ModelSummary.Kind) -> String {
        let what =
            switch kind {
            case .chat: "a .gguf file or a Hugging Face directory"
            case .picture: "a Stable Diffusion model (a diffusers directory, or a .safetensors checkpoint)"
            }
        return "Put \(what) into \(directories.last ?? "the models directory"), "
            + "or name one by its absolute path."
    }

    private func missingPath(_ path: String, _ kind: ModelSummary.Kind) -> AssistantError {
        let what =
            switch kind {
            case .chat: "GGUF file and no directory with config.json and safetensors"
            case .picture: "diffusers directory (with model_index.json) and no Stable Diffusion checkpoint"
            }
        return AssistantError(.modelNotFound, "There is no \(what) at \(path).", parameter: "model")
    }

    private static func otherKind(_ name: String, _ wanted: ModelSummary.Kind) -> AssistantError {
        AssistantError(
            .invalidRequest,
            wanted == .chat
                ? "The model \(name) paints pictures and answers no questions; ask POST /v1/images/generations."
                : "The model \(name) answers questions and paints no pictures.",
            parameter: "model")
    }

    private func unknown(
        _ name: String, among names: [String], _ kind: ModelSummary.Kind
    ) -> AssistantError {
        let nearest = names.sorted { Self.distance(name, $0) < Self.distance(name, $1) }
        guard let best = nearest.first else {
            return AssistantError(
                .modelNotFound, "There is no \(Self.noun(kind)) \"\(name)\". \(advice(kind))",
                parameter: "model")
        }
        let list = nearest.prefix(10).joined(separator: ", ")
        let question = Self.distance(name, best) <= max(2, name.count / 2) ? " Did you mean \(best)?" : ""
        return AssistantError(
            .modelNotFound, "There is no \(Self.noun(kind)) \"\(name)\".\(question) There is: \(list).",
            parameter: "model"
        )
    }

    // MARK: - Directories

    private func models(in directory: String) -> [ModelFile] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.sorted().compactMap { name in
            guard !name.hasPrefix(".") else { return nil }
            let path = directory + "/" + name
            if name.hasSuffix(".gguf") { return Self.ggufModel(name: name, path: path) }
            if name.hasSuffix(".safetensors") {
                // Among the models only whole ones count: no LoRA, and no weights without their configuration.
                return kinds.kind(of: path) == .picture
                    ? ModelFile(name: String(name.dropLast(12)), path: path, kind: .picture) : nil
            }
            return kinds.kind(of: path).map { ModelFile(name: name, path: path, kind: $0) }
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

    // MARK: - Names

    /// A name without the tag that Ollama's clients put behind names that have none.
    private static func withoutTag(_ name: String) -> String {
        name.lowercased().hasSuffix(":latest") ? String(name.dropLast(7)) : name
    }

    /// A name as it is compared: lower case, without an ending that people tend to type.
    private static func key(_ name: String) -> String {
        let lowered = withoutTag(name).lowercased()
        for ending in [".gguf", ".safetensors"] where lowered.hasSuffix(ending) {
            return String(lowered.dropLast(ending.count))
        }
        return lowered
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
