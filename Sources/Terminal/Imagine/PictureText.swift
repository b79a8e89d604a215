public import AssistantAPI

/// Pictures as text for people.
public enum PictureText {
    /// Size, bytes, seed and time, such as "512×512  412 kB  seed 42  12.3 s".
    static func facts(_ picture: Picture, time: Duration) -> String {
        "\(size(picture))  \(ConversationText.size(picture.bytes))  seed \(picture.recipe.seed)  "
            + TimeText.precise(time)
    }

    /// One row of a list: id, time, size and the beginning of the prompt, cut to `columns` where there are any.
    public static func row(_ picture: Picture, columns: Int?) -> String {
        let size = size(picture)
        let padding = String(repeating: " ", count: max(0, 9 - size.count))
        let row =
            "\(TextSanitizer.line(picture.id))  \(LocalTime.minute(picture.createdAt))  \(padding)\(size)  "
            + prompt(picture)
        return columns.map { DisplayWidth.truncate(row, to: $0) } ?? row
    }

    /// The recipe, a line for each of its parts.
    public static func recipe(_ picture: Picture) -> String {
        let recipe = picture.recipe
        var lines = [("prompt", prompt(picture))]
        if !recipe.negativePrompt.isEmpty {
            lines.append(("negative", TextSanitizer.line(recipe.negativePrompt)))
        }
        lines += [
            ("model", TextSanitizer.line(recipe.model)), ("size", size(picture)), ("seed", "\(recipe.seed)"),
            ("steps", "\(recipe.steps)"), ("scheduler", TextSanitizer.line(recipe.scheduler)),
            ("guidance", number(recipe.guidanceScale)), ("decoder", TextSanitizer.line(recipe.decoder)),
        ]
        if let prediction = recipe.prediction { lines.append(("prediction", TextSanitizer.line(prediction))) }
        if recipe.clipSkip > 0 { lines.append(("clip skip", "\(recipe.clipSkip)")) }
        lines += recipe.loras.map { ("lora", "\(TextSanitizer.line($0.name)):\(number($0.weight))") }
        if let strength = recipe.strength { lines.append(("strength", number(strength))) }
        if let start = recipe.initImage { lines.append(("start", "SHA-256 \(TextSanitizer.line(start))")) }
        if let mask = recipe.mask { lines.append(("mask", "SHA-256 \(TextSanitizer.line(mask))")) }
        lines += [
            ("file", "\(picture.format.rawValue), \(ConversationText.size(picture.bytes))"),
            ("painted", LocalTime.minute(picture.createdAt)), ("id", TextSanitizer.line(picture.id)),
        ]
        let width = lines.map { $0.0.count }.max() ?? 0
        return lines.map { name, value in
            name + String(repeating: " ", count: width - name.count) + "  " + value + "\n"
        }.joined()
    }

    /// The prompt in one line.
    public static func prompt(_ picture: Picture) -> String {
        let prompt = TextSanitizer.line(picture.recipe.prompt)
        return prompt.isEmpty ? "(no prompt)" : prompt
    }

    private static func size(_ picture: Picture) -> String { "\(picture.width)×\(picture.height)" }

    /// Without the decimals that are none: 7.5, but 8.
    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e9 ? "\(Int(value))" : "\(value)"
    }
}
