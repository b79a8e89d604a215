import Tokenizers

extension ChatFormat.Style {
    /// The style whose marks stand in a template; nil if none does.
    init?(template: String) {
        if template.contains("<|start_header_id|>"), template.contains("<|end_header_id|>") {
            self = .llama3(tellsDates: template.contains("Cutting Knowledge Date"))
        } else if template.contains("<|im_start|>") {
            self = .chatML(defaultSystem: Self.defaultSystem(inChatML: template))
        } else if template.contains("<|user|>"), template.contains("<|assistant|>") {
            self = .zephyr
        } else if template.contains("[INST]") {
            self = .llama2
        } else {
            return nil
        }
    }

    /// The style whose control tokens a vocabulary has.
    init(controlTokensOf tokenizer: Tokenizer) {
        func has(_ names: String...) -> Bool { names.allSatisfy { tokenizer.special($0) != nil } }
        if has("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>") {
            // Llama 3.1 turned reserved tokens into these.
            self = .llama3(tellsDates: has("<|eom_id|>", "<|python_tag|>"))
        } else if has("<|im_start|>", "<|im_end|>") {
            self = .chatML(defaultSystem: nil)
        } else {
            self = .plain
        }
    }

    /// The words that a ChatML template puts where a chat has no system turn: a literal between the marks.
    private static func defaultSystem(inChatML template: String) -> String? {
        let opening = #"<|im_start|>system\n"#
        var rest = template[...]
        while let start = rest.firstRange(of: opening) {
            rest = rest[start.upperBound...]
            guard let end = rest.prefix(1000).firstRange(of: "<|im_end|>") else { continue }
            let literal = rest[..<end.lowerBound]
            // A quote or brace would mean that an expression stands here.
            guard !literal.isEmpty, !literal.contains(where: "'\"{}".contains) else { continue }
            return String(literal.replacing(#"\n"#, with: "\n"))
        }
        return nil
    }
}
