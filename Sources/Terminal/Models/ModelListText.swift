public import AssistantAPI
import FoundationEssentials

/// The models on disk as they are shown.
public enum ModelListText {
    /// A table with a line for each model.
    public static func table(_ models: [ModelSummary]) -> String {
        let rows = models.map { model in
            [
                TextSanitizer.line(model.id), model.kind.rawValue, ConversationText.size(model.bytes),
                form(model), origin(model),
            ]
        }
        return TextTable.lines(["NAME", "KIND", "SIZE", "FORM", "WHERE"], rows).map { $0 + "\n" }.joined()
    }

    /// A model's weights' type and context, or its family and size.
    private static func form(_ model: ModelSummary) -> String {
        if let details = model.details {
            return "\(TextSanitizer.line(details.quantization)), context \(details.contextLength)"
        }
        if let details = model.pictureDetails {
            return "\(TextSanitizer.line(details.family)), \(details.width)×\(details.height)"
        }
        return "cannot be read"
    }

    /// Whose it is, and whether it is in memory.
    private static func origin(_ model: ModelSummary) -> String {
        var text = model.aliasOf.map { "is \(TextSanitizer.line($0))" } ?? name(model.source)
        if model.state != .unloaded {
            text += text.isEmpty ? model.state.rawValue : ", \(model.state.rawValue)"
        }
        return text
    }

    private static func name(_ source: ModelSummary.Source?) -> String {
        switch source {
        case .inkling?: "inkling"
        case .configured?: "models.directories"
        case .shipped?: "comes with inkling"
        case .ollama?: "Ollama"
        case .huggingFace?: "Hugging Face"
        case .elsewhere?, nil: ""
        }
    }

    /// All that is known of a model, a line for each fact.
    public static func facts(_ description: ModelDescription) -> String {
        let model = description.model
        var facts = [
            ("name", model.id), ("kind", model.kind.rawValue), ("where", model.path),
            ("size", ConversationText.size(model.bytes)),
        ]
        if !description.aliases.isEmpty {
            facts.append(("also called", description.aliases.joined(separator: ", ")))
        }
        let whose = name(model.source)
        if !whose.isEmpty { facts.append(("belongs to", whose)) }
        if let details = model.details {
            facts += [
                ("architecture", details.architecture), ("parameters", count(details.parameterCount)),
                ("weights", details.quantization), ("context", "\(details.contextLength) tokens"),
                ("vocabulary", "\(details.vocabularySize) tokens"), ("layers", "\(details.layerCount)"),
                ("hidden size", "\(details.hiddenSize)"),
            ]
        }
        if let details = model.pictureDetails {
            facts += [
                ("family", details.family), ("parameters", count(details.parameterCount)),
                ("made for", "\(details.width)×\(details.height)"), ("scheduler", details.scheduler),
                ("prediction", details.prediction), ("decoders", details.decoders.joined(separator: ", ")),
            ]
        }
        if let origin = description.origin {
            facts += [
                ("pulled from", "\(origin.repository) at \(origin.revision.prefix(12))"),
                ("pulled at", LocalTime.second(origin.pulledAt)),
            ]
        }
        facts.append(("in memory", model.state == .unloaded ? "no" : model.state.rawValue))
        let width = facts.map { $0.0.count }.max() ?? 0
        return facts.map { name, value in
            name + String(repeating: " ", count: width - name.count + 2) + TextSanitizer.line(value) + "\n"
        }.joined()
    }

    /// Such as "1.24 billion".
    private static func count(_ number: Int) -> String {
        let (value, unit) =
            number >= 1_000_000_000 ? (Double(number) / 1e9, "billion") : (Double(number) / 1e6, "million")
        return "\((value * 100).rounded() / 100) \(unit)"
    }
}
