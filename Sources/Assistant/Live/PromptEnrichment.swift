import AssistantAPI

/// A chat model's way to say more about a picture than a person typed.
///
/// The person's own words stay as they are, in front: the model is only asked what to add, so that however small it is,
/// the picture still shows what was asked for.
struct PromptEnrichment: Sendable {
    /// Longest text that is enriched, in UTF-8 bytes; a longer one says enough.
    static let textLimit = 400
    private static let additionTokens = 40
    private static let additionCharacters = 200

    let text: String

    /// - Throws: `invalidRequest` for an empty text, and for one that is too long.
    init(_ text: String) throws(AssistantError) {
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard !words.isEmpty else {
            throw AssistantError(.invalidRequest, "There are no words to enrich.", parameter: "text")
        }
        guard words.utf8.count <= Self.textLimit else {
            throw AssistantError(
                .invalidRequest,
                "text has \(words.utf8.count) bytes, but at most \(Self.textLimit) are enriched.",
                parameter: "text")
        }
        self.text = words
    }

    /// What the chat model is asked.
    ///
    /// Small models follow examples better than instructions; nothing is left to chance, so that the same words are
    /// enriched in the same way.
    func request(model: String?) -> CompletionRequest {
        let examples = [
            ("a fox", "in a snowy forest, soft morning light, detailed fur"),
            ("an old lighthouse", "on a cliff, stormy sea, dark clouds, warm light in the window"),
            ("a bowl of fruit", "on a wooden table, still life, light from the left, rich colours"),
        ]
        var messages = [
            ChatMessage(
                role: .system,
                content: "You add a few words to the description of a picture: surroundings, light, style. "
                    + "You answer with those words only.")
        ]
        for (description, addition) in examples {
            messages.append(ChatMessage(role: .user, content: description))
            messages.append(ChatMessage(role: .assistant, content: addition))
        }
        messages.append(ChatMessage(role: .user, content: text))
        var settings = GenerationSettings()
        (settings.maxTokens, settings.temperature, settings.stop) = (Self.additionTokens, 0, ["\n"])
        return CompletionRequest(model: model, prompt: .chat(messages), settings: settings)
    }

    /// The person's words with what the model answered behind them; without anything usable, the words alone.
    func result(_ answer: String) -> String {
        var addition = answer.split(separator: "\n").first.map(String.init) ?? ""
        addition = addition.trimmed { $0.isWhitespace || "\"'.,;:".contains($0) }
        // Small models like to begin with what they were told.
        if addition.lowercased().hasPrefix(text.lowercased()) {
            addition = String(addition.dropFirst(text.count)).trimmed {
                $0.isWhitespace || ",.;:".contains($0)
            }
        }
        if addition.count > Self.additionCharacters {
            let cut = addition.prefix(Self.additionCharacters)
            addition = String(cut[..<(cut.lastIndex(of: ",") ?? cut.endIndex)])
        }
        return addition.isEmpty ? text : "\(text), \(addition)"
    }
}

extension String {
    /// The text without the characters at both ends that satisfy `isDropped`.
    fileprivate func trimmed(_ isDropped: (Character) -> Bool) -> String {
        let start = drop(while: isDropped)
        guard let last = start.lastIndex(where: { !isDropped($0) }) else { return "" }
        return String(start[...last])
    }
}
