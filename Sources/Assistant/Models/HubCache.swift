import AssistantAPI
import FoundationEssentials
import Glibc

/// The models that Hugging Face's own programs had from the hub: `models--owner--name/snapshots/<commit>/…`, links into
/// `blobs`.
///
/// Source: https://huggingface.co/docs/huggingface_hub/guides/manage-cache.
struct HubCache: ModelStore {
    let folder: String

    private static let prefix = "models--"

    func models(_ kinds: ModelKinds) -> [ModelFile] {
        FolderNames.visible(folder).filter { $0.hasPrefix(Self.prefix) }.flatMap { name -> [ModelFile] in
            let repository = String(name.dropFirst(Self.prefix.count)).replacing("--", with: "/")
            guard let snapshot = snapshot(of: "\(folder)/\(name)") else { return [] }
            if let kind = kinds.kind(of: snapshot) {
                return [ModelFile(name: repository, path: snapshot, kind: kind, source: .huggingFace)]
            }
            return files(in: snapshot, kinds).map { file in
                var file = file
                file.name = Self.name(of: file.name, in: repository)
                file.source = .huggingFace
                return file
            }
        }
    }

    /// Files that are models of their own, in the snapshot and in its folders.
    private func files(in snapshot: String, _ kinds: ModelKinds) -> [ModelFile] {
        let names = FolderNames.visible(snapshot)
        let folders = [snapshot] + names.filter { !$0.contains(".") }.map { "\(snapshot)/\($0)" }
        return folders.flatMap { folder in
            FolderNames.visible(folder).compactMap { name -> ModelFile? in
                let path = "\(folder)/\(name)"
                // A link whose blob is gone, or on its way, is nothing.
                guard access(path, R_OK) == 0 else { return nil }
                if name.hasSuffix(".gguf") { return ModelCatalog.ggufModel(name: name, path: path) }
                guard name.hasSuffix(".safetensors"), kinds.kind(of: path) == .picture else { return nil }
                return ModelFile(name: String(name.dropLast(12)), path: path, kind: .picture)
            }
        }
    }

    /// `owner/name:Q4_K_M` where the file's name ends with a type, else `owner/name/file`.
    private static func name(of stem: String, in repository: String) -> String {
        let base = ModelCatalog.withoutQuantization(stem.lowercased())
        guard base.utf8.count < stem.utf8.count else { return "\(repository)/\(stem)" }
        return repository + ":" + String(decoding: stem.utf8.dropFirst(base.utf8.count + 1), as: UTF8.self)
    }

    /// The folder of the main branch's commit, else of the newest one.
    private func snapshot(of repository: String) -> String? {
        let commits = FolderNames.visible("\(repository)/snapshots")
        let main = FileManager.default.contents(atPath: "\(repository)/refs/main").map {
            String(decoding: $0.prefix(64), as: UTF8.self).filter { !$0.isWhitespace }
        }
        let commit =
            commits.first { $0 == main }
            ?? commits.max {
                modified("\(repository)/snapshots/\($0)") < modified("\(repository)/snapshots/\($1)")
            }
        return commit.map { "\(repository)/snapshots/\($0)" }
    }

    private func modified(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mtim.tv_sec : 0
    }
}
