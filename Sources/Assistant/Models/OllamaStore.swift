import AssistantAPI
import FoundationEssentials
import StrictJSON

/// Models that another program keeps on this machine, used where they lie.
protocol ModelStore: Sendable {
    /// The models there are now; their files are not opened.
    func models(_ kinds: ModelKinds) -> [ModelFile]
}

/// The models that Ollama pulled: manifests name blobs, of which one is a GGUF file.
///
/// Source: https://github.com/ollama/ollama/blob/main/types/model/name.go and manifest/manifest.go.
struct OllamaStore: ModelStore {
    /// The folder that has `manifests` and `blobs`.
    let folder: String

    /// The host and the owner that Ollama leaves out of names.
    private static let host = "registry.ollama.ai"
    private static let owner = "library"
    private static let limit = 2000

    func models(_ kinds: ModelKinds) -> [ModelFile] {
        var found: [ModelFile] = []
        for host in names("manifests") {
            for owner in names("manifests/\(host)") {
                for model in names("manifests/\(host)/\(owner)") {
                    for tag in names("manifests/\(host)/\(owner)/\(model)") where found.count < Self.limit {
                        guard let blob = blob("manifests/\(host)/\(owner)/\(model)/\(tag)") else { continue }
                        found.append(
                            ModelFile(
                                name: Self.name(host, owner, model, tag), path: blob, kind: .chat,
                                source: .ollama))
                    }
                }
            }
        }
        return found
    }

    /// The name that Ollama itself shows, but for `:latest`.
    private static func name(_ host: String, _ owner: String, _ model: String, _ tag: String) -> String {
        var parts = [host, owner, model]
        if host == Self.host { parts.removeFirst(owner == Self.owner ? 2 : 1) }
        return parts.joined(separator: "/") + (tag == "latest" ? "" : ":" + tag)
    }

    /// The file of a manifest's model, where there is one.
    private func blob(_ manifest: String) -> String? {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(manifest)"), data.count < 1 << 20,
            let json = try? JSONValue(parsing: Array(data), limits: JSONLimits(byteCount: 1 << 20, depth: 8))
        else { return nil }
        let layer = json["layers"]?.array?.first {
            $0["mediaType"]?.string == "application/vnd.ollama.image.model"
        }
        guard let digest = layer?["digest"]?.string, digest.hasPrefix("sha256:"), digest.utf8.count == 71,
            digest.dropFirst(7).allSatisfy(\.isHexDigit)
        else { return nil }
        let path = "\(folder)/blobs/" + digest.replacing(":", with: "-")
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    private func names(_ inside: String) -> [String] { FolderNames.visible("\(folder)/\(inside)") }
}

/// Names in a folder.
enum FolderNames {
    /// Those that are not hidden, in order; none of what is no folder.
    static func visible(_ path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { !$0.hasPrefix(".") }
            .sorted()
    }
}
