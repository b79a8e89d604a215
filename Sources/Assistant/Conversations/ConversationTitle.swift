import AssistantAPI
import History

/// A title made of the first words of what the user said.
enum ConversationTitle {
    static let longest = 50

    /// At most `longest` characters of the first line that has any, cut between words; empty for an empty text.
    static func make(from text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first { !words(in: $0).isEmpty } ?? ""
        var title = ""
        for word in words(in: line) {
            let longer = title.isEmpty ? word : title + " " + word
            guard longer.count <= longest else {
                return title.isEmpty ? String(word.prefix(longest - 1)) + "\u{2026}" : title + "\u{2026}"
            }
            title = longer
        }
        return title
    }

    /// Names a conversation that has no name after the first words of what was said.
    static func give(to conversation: Conversation, from text: String, store: HistoryStore) async {
        guard conversation.title.isEmpty else { return }
        let title = make(from: text)
        guard !title.isEmpty else { return }
        _ = try? await store.change(conversation.id, ConversationChange(title: title))
    }

    /// The words of a line, without control characters.
    private static func words(in line: Substring) -> [String] {
        line.split(whereSeparator: \.isWhitespace).compactMap { word in
            let clean = String(String.UnicodeScalarView(word.unicodeScalars.filter(isVisible)))
            return clean.isEmpty ? nil : clean
        }
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: false
        default: !(0x202A...0x202E).contains(scalar.value) && !(0x2066...0x2069).contains(scalar.value)
        }
    }
}
