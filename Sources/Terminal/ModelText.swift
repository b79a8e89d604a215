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
        if model.state != .unloaded { parts.append(model.state.rawValue) }
        return parts.joined(separator: "  ")
    }

    /// What a request should ask for: a known name, or the absolute path of a file or folder.
    ///
    /// - Throws: `ClientError.failed` when it is neither, with the nearest name.
    public static func resolve(_ name: String, among models: [ModelSummary]) throws(ClientError) -> String {
        if models.contains(where: { $0.id == name }) { return name }
        if isPath(name) { return try absolute(name) }
        if let other = models.first(where: { $0.id.lowercased() == name.lowercased() }) { return other.id }
        if access(name, F_OK) == 0 { return try absolute("./" + name) }
        let nearest = NearestName.of(name, among: models.map(\.id)).map { "; did you mean \($0)?" } ?? ""
        throw .failed("there is no model \"\(TextSanitizer.line(name))\"\(TextSanitizer.line(nearest))")
    }

    /// A path as the daemon needs it, which works in another folder; a plain name is left alone.
    public static func absolute(_ name: String) throws(ClientError) -> String {
        guard isPath(name) else { return name }
        var path = name
        if path == "~" || path.hasPrefix("~/"), let home = getenv("HOME") {
            path = String(cString: home) + path.dropFirst()
        }
        guard let real = realpath(path, nil) else {
            throw .failed("there is no model at \(TextSanitizer.line(name)): \(ClientError.system(errno))")
        }
        defer { free(real) }
        return String(cString: real)
    }

    private static func isPath(_ name: String) -> Bool {
        name.contains("/") || name.hasPrefix(".") || name == "~" || name.hasSuffix(".gguf")
            || name.hasSuffix(".safetensors")
    }
}
