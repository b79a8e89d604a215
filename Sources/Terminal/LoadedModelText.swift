public import AssistantAPI
public import FoundationEssentials

/// The models in memory as they are shown.
public enum LoadedModelText {
    /// A table with a line for each model, and what is held in all.
    public static func table(_ report: MemoryReport, now: Date = Date()) -> String {
        let head = ["NAME", "KIND", "SIZE", "UNTIL"]
        let rows = report.models.map { model in
            [
                TextSanitizer.line(model.id), model.kind.rawValue, ConversationText.size(model.bytes),
                until(model, now: now),
            ]
        }
        return (TextTable.lines(head, rows) + [total(report)]).map { $0 + "\n" }.joined()
    }

    /// Such as "124 MB of 19 GB: weights 120 MB, prefix caches 4.0 MB".
    static func total(_ report: MemoryReport) -> String {
        let parts = report.memory.reversed().filter { $0.bytes > 0 }.map { share in
            share.kind.rawValue.replacing("_", with: " ") + " " + ConversationText.size(share.bytes)
        }
        let all = "\(ConversationText.size(report.used)) of \(ConversationText.size(report.budget))"
        return parts.isEmpty ? all : all + ": " + parts.joined(separator: ", ")
    }

    static func until(_ model: LoadedModel, now: Date) -> String {
        if model.state == .loading { return "loading" }
        if model.isPinned { return model.isInUse ? "pinned, in use" : "pinned" }
        if model.isInUse { return "in use" }
        guard let end = model.expiresAt else { return "for ever" }
        let seconds = Int(end.timeIntervalSince(now).rounded(.up))
        let rest =
            switch seconds {
            case ..<1: "now"
            case ..<60: "in \(seconds) s"
            case ..<7200: "in \((seconds + 30) / 60) min"
            default: "in \((seconds + 1800) / 3600) h"
            }
        return "\(LocalTime.second(end)) (\(rest))"
    }
}
