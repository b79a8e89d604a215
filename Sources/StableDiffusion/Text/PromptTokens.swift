import Tokenizers

/// All that the text encoders see of a request's texts: equal ones give the same picture.
public struct PromptTokens: Sendable, Hashable {
    /// For each text encoder.
    let prompt: [Text]
    /// Of the negative prompt; nil without guidance.
    let negative: [Text]?
    /// Whether there is no negative prompt at all, for which some models have zeros.
    let lacksNegative: Bool

    /// The prompt's, as the first text encoder sees them, with padding.
    public var ids: [Int32] { prompt.first?.tokens ?? [] }

    /// One text, as one encoder sees it.
    struct Text: Sendable, Hashable {
        /// As many as the encoder takes.
        let tokens: [Int32]
        /// How many of the tokens are not padding.
        let length: Int
    }

    init(prompt: String, negative: String?, _ parts: ModelParts) {
        self.prompt = parts.tokens(prompt)
        self.negative = negative.map(parts.tokens)
        lacksNegative = negative?.isEmpty ?? true
    }
}

/// Reads prompts as a model does, without holding its weights.
public struct PromptReader: Sendable {
    /// For each text encoder.
    let tokenizers: [CLIPTokenizer]

    /// What the text encoders see of a prompt, with padding: equal tokens give the same picture.
    public func tokens(of prompt: String) -> [Int32] { texts(of: prompt).flatMap(\.tokens) }

    /// For each text encoder, what it sees of a prompt.
    func texts(of prompt: String) -> [PromptTokens.Text] {
        tokenizers.map { tokenizer in
            let encoding = tokenizer.encode(prompt)
            return PromptTokens.Text(tokens: encoding.tokens, length: encoding.length)
        }
    }
}

extension DiffusionModel {
    public var promptReader: PromptReader { parts.promptReader }
}

extension ModelParts {
    var promptReader: PromptReader { PromptReader(tokenizers: texts.map(\.tokenizer)) }

    func tokens(_ text: String) -> [PromptTokens.Text] { promptReader.texts(of: text) }
}
