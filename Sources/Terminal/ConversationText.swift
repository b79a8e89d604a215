public import AssistantAPI

/// Conversations as text for people.
public enum ConversationText {
    /// One row of a list: id, time, count of messages and title, cut to `columns` where there are any.
    public static func row(_ conversation: Conversation, columns: Int?) -> String {
        let count = "\(conversation.messageCount)"
        let padding = String(repeating: " ", count: max(0, 4 - count.count))
        let marks = conversation.isPrivate ? " (private)" : ""
        let row =
            "\(TextSanitizer.line(conversation.id))  \(LocalTime.minute(conversation.updatedAt))  "
            + "\(padding)\(count)  \(title(of: conversation))\(marks)"
        return columns.map { DisplayWidth.truncate(row, to: $0) } ?? row
    }

    public static func title(of conversation: Conversation) -> String {
        let title = TextSanitizer.line(conversation.title)
        return title.isEmpty ? "(untitled)" : title
    }

    /// The matches of a search, each conversation's below its row.
    public static func matches(_ matches: [SearchMatch], marks: (start: String, end: String)) -> String {
        var lines: [String] = []
        var last: Conversation.ID?
        for match in matches {
            if match.conversation.id != last { lines.append(row(match.conversation, columns: nil)) }
            last = match.conversation.id
            lines.append("    " + snippet(of: match, marks: marks))
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The text around a match in one line; the words that matched are put between `marks`.
    private static func snippet(of match: SearchMatch, marks: (start: String, end: String)) -> String {
        var snippet = ""
        for scalar in match.snippet.unicodeScalars {
            switch scalar {
            case "\u{2068}": snippet += marks.start
            case "\u{2069}": snippet += marks.end
            case "\u{1B}": break
            default: snippet += scalar.properties.isWhitespace ? " " : TextSanitizer.sanitize(String(scalar))
            }
        }
        return snippet
    }

    /// A message as it is shown in the terminal.
    static func message(_ message: Message) -> String {
        let content = TextSanitizer.sanitize(message.content)
        return switch message.role {
        case .user: ">>> " + content.replacing("\n", with: "\n... ") + "\n"
        case .system: "(system) " + content + "\n"
        case .assistant: content + ending(of: message) + "\n"
        }
    }

    private static func ending(of message: Message) -> String {
        switch message.finish {
        case .stop, nil: ""
        case .length: "\n(reached its length limit)"
        case .cancelled: "\n(stopped)"
        case .interrupted: "\n(interrupted: the daemon ended)"
        case .failed: "\n(failed\(message.error.map { ": " + TextSanitizer.line($0) } ?? ""))"
        }
    }

    /// A transcript as Markdown, for a file.
    public static func markdown(_ transcript: Transcript) -> String {
        let conversation = transcript.conversation
        var text = "# \(title(of: conversation))\n\n"
        text += "\(LocalTime.minute(conversation.createdAt))"
        text += conversation.model.map { ", \(TextSanitizer.line($0))" } ?? ""
        text += "\n"
        if let system = conversation.system, !system.isEmpty {
            text += "\n## System\n\n\(TextSanitizer.sanitize(system))\n"
        }
        for message in transcript.messages {
            let heading =
                switch message.role {
                case .user: "You"
                case .system: "System"
                case .assistant: message.model.map { TextSanitizer.line($0) } ?? "Assistant"
                }
            text += "\n## \(heading)\n\n\(TextSanitizer.sanitize(message.content))\(ending(of: message))\n"
        }
        return text
    }

    /// "1.4 GB" and the like.
    public static func size(_ bytes: Int) -> String {
        let units = ["B", "kB", "MB", "GB", "TB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 1000, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        let tenths = Int((value * 10).rounded())
        return unit == 0 || tenths >= 100
            ? "\((tenths + 5) / 10) \(units[unit])" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
