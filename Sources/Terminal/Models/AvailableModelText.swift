public import AssistantAPI

/// The catalogue of models as it is shown.
public enum AvailableModelText {
    /// A table with a line for each model, and what the marks mean.
    public static func table(_ available: AvailableModels) -> String {
        let rows = available.models.map { model in
            [
                TextSanitizer.line(model.name), model.role.rawValue, "~" + ConversationText.size(model.bytes),
                "~" + ConversationText.size(model.memory), mark(model), TextSanitizer.line(model.licence),
            ]
        }
        let head = ["NAME", "FOR", "SIZE", "MEMORY", "", "LICENCE"]
        let lines =
            TextTable.lines(head, rows) + [
                "",
                "Sizes are approximate. This machine's budget is \(ConversationText.size(available.budget)).",
                "To have one: inkling pull NAME. Anything else of the hub: inkling pull OWNER/NAME.",
            ]
        return lines.map { $0 + "\n" }.joined()
    }

    private static func mark(_ model: AvailableModel) -> String {
        if model.isHere == true { return "here" }
        return model.fits == false ? "too large" : "fits"
    }
}
