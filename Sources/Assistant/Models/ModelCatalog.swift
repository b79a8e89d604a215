import AssistantAPI
import FoundationEssentials
import ModelHub

/// Finds models by name in the directories that hold them.
struct ModelCatalog: Sendable {
    /// The picture model that comes with the program, and that paints where none is named.
    static let ownPictureModel = "inkling-scenes"

    let directories: [String]
    /// The folder of our own that models are put into; one of the directories.
    let own: String?
    /// What came with the program, after all others.
    private let shipped: [String]
    private let stores: [any ModelStore]
    private let records: ModelRecords?
    private let defaults: [ModelSummary.Kind: String]
    private let kinds = ModelKinds()

    /// - Parameters:
    ///   - directories: Searched in this order; a name that is in two means the one in the first.
    ///   - own: The one of them that models are pulled into.
    ///   - shipped: Searched after these, for what came with the program.
    ///   - stores: Asked for names that none of these has: what other programs keep.
    ///   - records: Knows the other names of models.
    ///   - defaultModel: The name or path that a question without one means.
    ///   - defaultPictureModel: The name or path that a request for pictures without one means; nil is the one
    ///     that comes with the program, else the first there is.
    init(
        directories: [String], own: String? = nil, shipped: [String] = [], stores: [any ModelStore] = [],
        records: ModelRecords? = nil, defaultModel: String?, defaultPictureModel: String? = nil
    ) {
        self.directories = directories
        self.own = own
        self.shipped = shipped
        self.stores = stores
        self.records = records
        var defaults: [ModelSummary.Kind: String] = [:]
        defaults[.chat] = defaultModel
        defaults[.picture] = defaultPictureModel
        self.defaults = defaults
    }

    // MARK: - What there is

    /// The models there are now, of both kinds, by name; those that other programs keep last.
    func models() -> [ModelFile] {
        let near = nearModels()
        let names = Set(near.map(\.name))
        return near + foreignModels().filter { !names.contains($0.name) }
    }

    /// Those in the directories, and a default model that lies elsewhere.
    private func nearModels() -> [ModelFile] {
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

    private func foreignModels() -> [ModelFile] {
        var names: Set<String> = []
        return stores.flatMap { $0.models(kinds) }.filter { names.insert($0.name).inserted }
            .sorted { $0.name < $1.name }
    }

    /// Other names for models that people gave, with the models' own.
    var aliases: [String: String] { records?.aliases ?? [:] }

    // MARK: - What a request means

    /// The model that a request means: a known name (in any case), an absolute path, or `nil` for the default.
    ///
    /// - Throws: `modelNotFound` with the names there are, the nearest first; `invalidRequest` for a model of the other
    ///   kind.
    func resolve(
        _ request: String?, kind: ModelSummary.Kind = .chat
    ) throws(AssistantError) -> ModelFile {
        let near = nearModels()
        var name = request ?? defaults[kind] ?? ""
        if name.isEmpty {
            let models = near.filter { $0.kind == kind }
            let own = models.first { kind == .picture && $0.name == Self.ownPictureModel }
            if let model = own ?? models.first { return model }
            throw AssistantError(
                .modelNotFound, "There is no \(Self.noun(kind)) yet. \(advice(kind))", parameter: "model")
        }
        name = alias(name) ?? name
        if name.hasPrefix("/") {
            if kinds.kind(of: name) == nil { name = Self.withoutTag(name) }
            if let known = (near + foreignModels()).first(where: { $0.path == name && $0.kind == kind }) {
                return known
            }
            switch kinds.kind(of: name) {
            case kind: return ModelFile(name: name, path: name, kind: kind)
            case nil: throw missingPath(name, kind)
            case .some: throw Self.otherKind(name, kind)
            }
        }
        var models = near
        if let match = find(name, kind, in: models) { return match }
        // Other programs' folders are only looked through for what ours don't have.
        models += foreignModels()
        if let match = find(name, kind, in: models) { return match }
        if let other = find(name, nil, in: models) { throw Self.otherKind(other.name, kind) }
        throw unknown(name, among: models.filter { $0.kind == kind }.map(\.name), kind)
    }

    private func find(_ name: String, _ kind: ModelSummary.Kind?, in models: [ModelFile]) -> ModelFile? {
        let models = models.filter { kind == nil || $0.kind == kind }
        return Self.find(name, in: models)
            ?? pulled(name).flatMap { path in models.first { $0.path == path } }
    }

    /// What an alias stands for.
    private func alias(_ name: String) -> String? {
        let wanted = Self.withoutTag(name).lowercased()
        return aliases.first { $0.key.lowercased() == wanted }?.value
    }

    /// Where the model lies that was pulled by this name.
    private func pulled(_ name: String) -> String? {
        guard let own, let records else { return nil }
        let references = [name, Self.withoutTag(name), HubReference(name)?.description].compactMap(\.self)
        return references.lazy.compactMap { records.target(pulledBy: $0) }.first.map { "\(own)/\($0)" }
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

    /// The LoRA files in `loras` below the folders, by the names that requests have for them, with their paths.
    func loras() -> [(name: String, path: String)] {
        var found: [String: String] = [:]
        for folder in directories.map({ $0 + "/loras" }) {
            for file in FolderNames.visible(folder) {
                let (name, path) = (String(file.dropLast(".safetensors".count)), "\(folder)/\(file)")
                if found[name] == nil, Self.isFile(path, ending: ".safetensors") { found[name] = path }
            }
        }
        return found.sorted { $0.key < $1.key }.map { (name: $0.key, path: $0.value) }
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

    // MARK: - Directories

    private func models(in directory: String) -> [ModelFile] {
        let source: ModelSummary.Source =
            directory == own ? .inkling : shipped.contains(directory) ? .shipped : .configured
        return FolderNames.visible(directory).compactMap { name -> ModelFile? in
            let path = directory + "/" + name
            if name.hasSuffix(".gguf") { return Self.ggufModel(name: name, path: path) }
            if name.hasSuffix(".safetensors") {
                // Among the models only whole ones count: no LoRA, and no weights without their configuration.
                return kinds.kind(of: path) == .picture
                    ? ModelFile(name: String(name.dropLast(12)), path: path, kind: .picture) : nil
            }
            return kinds.kind(of: path).map { ModelFile(name: name, path: path, kind: $0) }
        }.map { model in
            var model = model
            model.source = source
            return model
        }
    }

    /// A GGUF file; of a split model only the first part counts, by the name that all parts share.
    static func ggufModel(name: String, path: String) -> ModelFile? {
        let stem = name.dropLast(5)
        guard let part = SplitName(stem: stem) else { return ModelFile(name: String(stem), path: path) }
        return part.index == 1 ? ModelFile(name: String(part.base), path: path) : nil
    }
}
