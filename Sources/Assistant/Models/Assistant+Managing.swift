public import AssistantAPI
import FoundationEssentials
import Glibc
import ModelHub

extension Assistant {
    /// All that is known of a model, by any of its names or its absolute path.
    ///
    /// - Throws: `modelNotFound`, `modelUnusable`.
    public func description(of name: String) async throws -> ModelDescription {
        let file = try core.catalog.resolveAny(name)
        let origin = core.catalog.ownPlace(of: file).flatMap { records.origin(of: $0) }
        return ModelDescription(
            model: try await model(file.path),
            aliases: records.aliases.filter { $0.value == file.name }.keys.sorted(),
            origin: origin.map { origin in
                .init(
                    repository: origin.repository, revision: origin.revision, pulledAt: origin.pulledAt,
                    files: origin.files.map { .init(path: $0.path, bytes: $0.bytes, digest: $0.digest) })
            })
    }

    /// Gives a model another name, which is one like any other from then on.
    ///
    /// - Throws: `modelNotFound`; `invalidRequest` for a name that is none, `conflict` for another model's.
    public func copy(_ alias: ModelAlias) async throws {
        let file = try core.catalog.resolveAny(alias.source)
        let name = ModelCatalog.withoutTag(alias.destination)
        guard ModelCatalog.isAlias(name) else {
            throw AssistantError(
                .invalidRequest,
                "\"\(name.prefix(80))\" is no name for a model: it must have 1 to 128 bytes and begin with a letter "
                    + "or digit.", parameter: "destination")
        }
        if let other = ModelCatalog.find(name, in: core.catalog.models()), records.aliases[name] == nil {
            throw AssistantError(
                .conflict, "There is a model \(other.name) already; give another name.",
                parameter: "destination")
        }
        try storing { () throws(HubError) in try records.setAlias(name, to: file.name) }
    }

    /// Takes away another name, or a model for good, which first leaves the memory.
    ///
    /// Only what lies in our own folder is deleted.
    ///
    /// - Throws: `modelNotFound`; `invalidRequest` for a model that belongs to somebody else; `conflict` while it is
    ///   pulled.
    public func delete(_ name: String) async throws -> DeletedModel {
        if let alias = records.aliases.keys.first(where: { ModelCatalog.areSame($0, name) }) {
            try storing { () throws(HubError) in try records.setAlias(alias, to: nil) }
            return DeletedModel(name: alias)
        }
        let (file, place) = try deletable(name)
        guard !pulls.isPulling(target: place) else {
            throw AssistantError(
                .conflict, "The model \(file.name) is being pulled; stop that first.", parameter: "model")
        }
        // What is being answered goes on with the files, which are gone for everybody else.
        _ = await core.engine.unload(file)
        let bytes = try ModelFiles(file).remove()
        try storing { () throws(HubError) in try records.forget(target: place, name: file.name) }
        return DeletedModel(name: file.name, path: file.path, bytes: bytes)
    }

    /// The model of a name and its place below our own folder, where it lies there.
    private func deletable(_ name: String) throws -> (ModelFile, place: String) {
        let file: ModelFile
        do throws(AssistantError) {
            file = try core.catalog.resolveAny(name)
        } catch {
            // A LoRA or decoder is no model that answers or paints, but one that was pulled.
            guard error.code == .modelNotFound, let addition = core.catalog.addition(name) else {
                throw error
            }
            file = addition
        }
        if let place = core.catalog.ownPlace(of: file) { return (file, place) }
        let owner =
            switch file.source {
            case .ollama: "Ollama; delete it with: ollama rm \(file.name)"
            case .huggingFace: "Hugging Face's cache; delete it with: hf cache delete"
            case .shipped: "the program itself"
            case .inkling, .configured, .elsewhere: "you; delete the file yourself"
            }
        throw AssistantError(
            .invalidRequest,
            "The model \(file.name) lies at \(file.path) and belongs to \(owner).", parameter: "model")
    }

    private func storing(_ work: () throws(HubError) -> Void) throws {
        do throws(HubError) {
            try work()
        } catch {
            throw AssistantError(pulling: error)
        }
    }
}

/// The files that make a model, to be removed together.
struct ModelFiles {
    private let file: ModelFile

    init(_ file: ModelFile) { self.file = file }

    /// Removes them; the model is gone at once, whatever happens then.
    ///
    /// - Returns: Their bytes.
    /// - Throws: `storageFailed`.
    func remove() throws -> Int {
        let bytes = paths.reduce(0) { $0 + Self.size($1) }
        do {
            for path in paths {
                let (folder, name) = Self.split(path)
                let hidden = "\(folder)/.\(name).deleted"
                try? FileManager.default.removeItem(atPath: hidden)
                try FileManager.default.moveItem(atPath: path, toPath: hidden)
                try FileManager.default.removeItem(atPath: hidden)
            }
        } catch {
            throw AssistantError(.storageFailed, "\(file.path) cannot be deleted: \(error)")
        }
        return bytes
    }

    /// The first part of a split model goes first: without it there is no model.
    private var paths: [String] {
        let (folder, name) = Self.split(file.path)
        guard name.hasSuffix(".gguf"), let first = SplitName(stem: name.dropLast(5)) else {
            return [file.path]
        }
        return FolderNames.visible(folder).filter { other in
            guard other.hasSuffix(".gguf"), let part = SplitName(stem: other.dropLast(5)) else {
                return false
            }
            return part.base == first.base && part.count == first.count
        }.map { "\(folder)/\($0)" }
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (String(path[..<slash]), String(path[path.index(after: slash)...]))
    }

    /// Of a file, or of all files in a folder; a link counts for nothing.
    private static func size(_ path: String) -> Int {
        var status = stat()
        guard lstat(path, &status) == 0 else { return 0 }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return Int(status.st_size)
        case S_IFDIR:
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            return names.reduce(0) { $0 + size("\(path)/\($1)") }
        default: return 0
        }
    }
}

extension ModelCatalog {
    /// A model's place below our own folder; `nil` for one that lies elsewhere.
    func ownPlace(of file: ModelFile) -> String? {
        guard let own, file.path.hasPrefix(own + "/") else { return nil }
        let place = String(file.path.dropFirst(own.utf8.count + 1))
        return place.split(separator: "/").contains("..") ? nil : place
    }

    /// A LoRA or a tiny decoder in our own folder.
    func addition(_ name: String) -> ModelFile? {
        guard let own, !name.contains("/"), !name.hasPrefix(".") else { return nil }
        for path in ["\(own)/loras/\(name).safetensors", "\(own)/loras/\(name)", "\(own)/\(name)"]
        where FileManager.default.fileExists(atPath: path) {
            return ModelFile(name: name, path: path, kind: .picture, source: .inkling)
        }
        return nil
    }

    /// Whether a text can be another name for a model.
    static func isAlias(_ name: String) -> Bool {
        guard let first = name.first, first.isLetter || first.isNumber, name.utf8.count <= 128 else {
            return false
        }
        return !name.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F || $0 == "\\" }
            && !name.split(separator: "/", omittingEmptySubsequences: false).contains {
                $0.isEmpty || $0 == ".."
            }
    }

    /// Whether two names are one, but for case and the tag that means nothing.
    static func areSame(_ one: String, _ other: String) -> Bool {
        withoutTag(one).lowercased() == withoutTag(other).lowercased()
    }
}
