import AssistantAPI
import Digest
import FoundationEssentials
import HostProcess

/// A model as the lists and descriptions of Ollama's API have it.
struct OllamaModel {
    let summary: ModelSummary

    /// An entry of `GET /api/tags`.
    var listed: JSON {
        JSON(
            named + [
                ("modified_at", .string(modified)), ("size", JSON(summary.bytes)),
                ("digest", .string(digest)), ("details", details),
                ("capabilities", .array(capabilities.map(JSON.string))),
            ])
    }

    /// An entry of `GET /api/ps`, of a model in memory.
    func loaded(_ loaded: LoadedModel, now: Date) -> JSON {
        // Clients expect a time; what is in use, or stays for ever, has none.
        let expiry = loaded.expiresAt ?? now + 100 * 365 * 86_400
        return JSON(
            named + [
                ("size", JSON(loaded.bytes)), ("digest", .string(digest)), ("details", details),
                ("expires_at", .string(Wire.time(expiry))), ("size_vram", 0),
                ("context_length", JSON(loaded.contextLength ?? 0)),
            ])
    }

    /// The answer of `POST /api/show`; `chat` is there for a model that answers.
    func shown(_ chat: ChatModelDescription?) -> JSON {
        JSON([
            ("modelfile", .string(modelfile(chat))), ("parameters", .string(parameters(chat))),
            ("template", .string(chat?.chatTemplate ?? "")), ("details", details),
            ("model_info", information(chat)), ("capabilities", .array(capabilities.map(JSON.string))),
            ("modified_at", .string(modified)),
        ])
    }

    // MARK: - Parts

    private var named: [(String, JSON)] {
        let name = OllamaCall.name(of: summary.id)
        return [("name", .string(name)), ("model", .string(name))]
    }

    private var capabilities: [String] {
        switch summary.kind {
        case .chat: ["completion", "tools", "embedding"]
        case .picture: ["image"]
        }
    }

    private var modificationSeconds: Int { modificationTime(ofFileAt: summary.path) ?? 0 }

    private var modified: String {
        Wire.time(Date(timeIntervalSince1970: Double(modificationSeconds)))
    }

    /// Changes with the model's file, whose content is not read for it.
    private var digest: String {
        SHA256.hexadecimal(of: "\(summary.path) \(summary.bytes) \(modificationSeconds)".utf8)
    }

    private var details: JSON {
        let family = summary.details?.architecture ?? summary.pictureDetails?.family ?? ""
        let count = summary.details?.parameterCount ?? summary.pictureDetails?.parameterCount ?? 0
        return [
            "parent_model": "", "format": summary.path.hasSuffix(".gguf") ? "gguf" : "safetensors",
            "family": .string(family), "families": [.string(family)],
            "parameter_size": .string(Self.short(count)),
            "quantization_level": .string(summary.details?.quantization ?? ""),
        ]
    }

    /// By the keys of GGUF files, whatever the model's own file is.
    private func information(_ chat: ChatModelDescription?) -> JSON {
        guard let chat, let details = summary.details else {
            let picture = summary.pictureDetails
            return [
                "general.architecture": .string(picture?.family ?? ""),
                "general.parameter_count": JSON(picture?.parameterCount ?? 0),
                "image.width": JSON(picture?.width ?? 0), "image.height": JSON(picture?.height ?? 0),
                "image.scheduler": .string(picture?.scheduler ?? ""),
            ]
        }
        return [
            "general.architecture": .string(details.architecture),
            "general.parameter_count": JSON(details.parameterCount),
            "llama.context_length": JSON(chat.contextLength),
            "llama.embedding_length": JSON(chat.hiddenSize), "llama.block_count": JSON(chat.layerCount),
            "llama.feed_forward_length": JSON(chat.intermediateSize),
            "llama.attention.head_count": JSON(chat.headCount),
            "llama.attention.head_count_kv": JSON(chat.kvHeadCount),
            "llama.attention.key_length": JSON(chat.headSize),
            "llama.attention.layer_norm_rms_epsilon": JSON(chat.epsilon),
            "llama.rope.freq_base": JSON(chat.ropeBase), "llama.vocab_size": JSON(chat.vocabularySize),
        ]
    }

    private func parameters(_ chat: ChatModelDescription?) -> String {
        (chat?.stops ?? []).map { "stop \(Self.quoted($0))" }.joined(separator: "\n")
    }

    private func modelfile(_ chat: ChatModelDescription?) -> String {
        var text = "# Of \(OllamaCall.name(of: summary.id)), by inklingd\nFROM \(summary.path)\n"
        if let template = chat?.chatTemplate { text += "TEMPLATE \"\"\"\(template)\"\"\"\n" }
        for stop in chat?.stops ?? [] { text += "PARAMETER stop \(Self.quoted(stop))\n" }
        return text
    }

    private static func quoted(_ text: String) -> String { JSON.string(text).text }

    /// A count as models are named by it: `134.5M`, `8.0B`.
    static func short(_ count: Int) -> String {
        let units = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")]
        guard let (unit, name) = units.first(where: { Double(count) >= $0.0 }) else { return String(count) }
        return String((Double(count) / unit * 10).rounded() / 10) + name
    }
}
