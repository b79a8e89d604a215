import Assistant
import AssistantAPI

/// A prompt of llama-server's: text and token ids in any order.
struct LlamaPrompt: Sendable, Equatable {
    enum Part: Sendable, Equatable {
        /// Text, in which control tokens are read as such.
        case text(String)
        case tokens([Int32])
    }

    let parts: [Part]

    /// The prompts of a call: a string, tokens, a mixture with at least one token, or an array of all these.
    ///
    /// - Throws: `Failure` 400 that names the element.
    static func readAll(_ fields: Fields) throws(Failure) -> [LlamaPrompt] {
        let expected = "a string, an array of strings and token ids, or an array of such prompts"
        switch fields["prompt"] {
        case nil: throw fields.missing("prompt", expected)
        case .array(let elements)?:
            guard !elements.isEmpty else {
                throw .invalid("'prompt' is empty; it must be \(expected).", parameter: "prompt")
            }
            if elements.contains(where: \.isNumber) { return [try mixture(elements, path: "prompt")] }
            let limit = TextCompletionCall.maximumPrompts
            guard elements.count <= limit else {
                throw .invalid(
                    "'prompt' has \(elements.count) prompts; at most \(limit) are taken.", parameter: "prompt"
                )
            }
            var prompts: [LlamaPrompt] = []
            for (index, element) in elements.enumerated() {
                prompts.append(try prompt(element, path: "prompt[\(index)]"))
            }
            return prompts
        case .some(let value): return [try prompt(value, path: "prompt")]
        }
    }

    private static func prompt(_ json: JSON, path: String) throws(Failure) -> LlamaPrompt {
        switch json {
        case .string(let text): return LlamaPrompt(parts: [.text(text)])
        case .array(let elements): return try mixture(elements, path: path)
        case .object:
            let fields = try Fields(json, path: path)
            try fields.refuse(unlessEmpty: ["multimodal_data"])
            return LlamaPrompt(parts: [.text(try fields.requiredString("prompt_string"))])
        default:
            throw .invalid(
                "'\(path)' must be a string, an array or an object, not \(json.kind).", parameter: "prompt")
        }
    }

    private static func mixture(_ elements: [JSON], path: String) throws(Failure) -> LlamaPrompt {
        if elements.allSatisfy(\.isNumber) {
            return LlamaPrompt(parts: [.tokens(try TextCompletionCall.tokens(elements, path: path))])
        }
        var parts: [Part] = []
        for (index, element) in elements.enumerated() {
            if case .string(let text) = element {
                parts.append(.text(text))
            } else {
                let name = "\(path)[\(index)]"
                parts.append(.tokens(try TextCompletionCall.tokens([element], path: name)))
            }
        }
        return LlamaPrompt(parts: parts)
    }
}

extension JSON {
    fileprivate var isNumber: Bool {
        if case .number = self { true } else { false }
    }
}

extension Assistant {
    /// A prompt as tokens; one that begins with text begins the sequence.
    ///
    /// - Throws: `modelNotFound`, `modelUnusable`.
    func tokens(of prompt: LlamaPrompt, model: String?) async throws -> [Int32] {
        var tokens: [Int32] = []
        for (index, part) in prompt.parts.enumerated() {
            switch part {
            case .tokens(let ids): tokens += ids
            case .text(let text) where index == 0:
                tokens += try await promptTokens(of: text, model: model)
            case .text(let text):
                let pieces = try await tokenize(
                    model: model, content: text, addSpecial: false, parseSpecial: true)
                tokens += pieces.map(\.id)
            }
        }
        return tokens
    }
}
