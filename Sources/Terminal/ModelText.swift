public import AssistantAPI
import Glibc

/// Models as people name them and as they are shown.
public enum ModelText {
    /// One row of a list.
    public static func row(_ model: ModelSummary) -> String {
        var parts = [TextSanitizer.line(model.id), ConversationText.size(model.bytes)]
        if let details = model.details {
            parts += [TextSanitizer.line(details.quantization), "context \(details.contextLength)"]
        }
        if let details = model.pictureDetails {
            parts += [TextSanitizer.line(details.family), "\(details.width)×\(details.height)"]
        }
        if model.state != .unloaded { parts.append(model.state.rawValue) }
        return parts.joined(separator: "  ")
    }

    /// A path as the daemon needs it, which works in another folder; a plain name is left alone.
    ///
    /// - Throws: `ClientError.failed` when nothing is there; `kind` says what was looked for.
    public static func absolute(_ name: String, kind: String = "model") throws(ClientError) -> String {
        guard isPath(name) else { return name }
        var path = name
        if path == "~" || path.hasPrefix("~/"), let home = getenv("HOME") {
            path = String(cString: home) + path.dropFirst()
        }
        guard let real = realpath(path, nil) else {
            if isHubName(name) { return name }
            throw .failed("there is no \(kind) at \(TextSanitizer.line(name)): \(ClientError.system(errno))")
        }
        defer { free(real) }
        return String(cString: real)
    }

    /// The absolute path of a file that is to be made, whose folder must be there.
    ///
    /// - Throws: `ClientError.failed` when it isn't.
    public static func newFile(_ path: String) throws(ClientError) -> String {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
        let whole = try absolute(folder == "." ? "./" : folder + "/", kind: "folder")
        return (whole == "/" ? "" : whole) + "/" + name
    }

    /// Whether a name with slashes may be one that a hub has, such as `hf.co/owner/name:Q4_K_M`.
    private static func isHubName(_ name: String) -> Bool {
        let isFile = name.hasSuffix(".gguf") || name.hasSuffix(".safetensors")
        return !isFile && name.contains("/") && name.first.map { $0.isLetter || $0.isNumber } ?? false
    }

    static func isPath(_ name: String) -> Bool {
        name.contains("/") || name.hasPrefix(".") || name == "~" || name.hasSuffix(".gguf")
            || name.hasSuffix(".safetensors")
    }
}
