import AssistantAPI

/// How quick an answer was, in a line for people.
enum AnswerFigures {
    /// Such as "first token 42 ms · 180 tokens · 61 tokens/s · 36 of 40 prompt tokens read before Enter"; `nil` where
    /// nothing is known.
    ///
    /// What was read before Enter is what the daemon had in its cache: earlier messages, and what was evaluated while it
    /// was typed.
    static func line(_ completed: ChatEvent.Completed) -> String? {
        guard let usage = completed.message.usage else { return nil }
        let timings = completed.timings
        var parts: [String] = []
        if let time = milliseconds(timings.firstToken) { parts.append("first token \(TimeText.short(time))") }
        let count = max(0, usage.completionTokens)
        parts.append(count == 1 ? "1 token" : "\(count) tokens")
        if count > 1, let time = milliseconds(timings.decode), time > .zero {
            parts.append("\(rate(Double(count) / time.seconds)) tokens/s")
        }
        let (prompt, cached) = (usage.promptTokens, usage.cachedTokens)
        if prompt > 0 { parts.append("\(max(0, cached)) of \(prompt) prompt tokens read before Enter") }
        return parts.joined(separator: " · ")
    }

    /// A time of the daemon, which is not trusted to make sense.
    private static func milliseconds(_ value: Double) -> Duration? {
        value.isFinite && value >= 0 ? .milliseconds(Int64(min(value, 1e12).rounded())) : nil
    }

    private static func rate(_ value: Double) -> String {
        guard value < 9.95 else { return "\(Int(min(value, 1e9).rounded()))" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
