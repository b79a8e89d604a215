extension Vocabulary {
    /// A vocabulary as the values of GGUF's `tokenizer.ggml.*` keys have it.
    public struct GGMLKeys: Sendable {
        /// `model`: "gpt2" or "llama".
        public var model: String
        /// `pre`; nil for SentencePiece.
        public var pre: String?
        public var tokens: [String]
        /// `token_type`.
        public var types: [Int32]
        /// Of SentencePiece.
        public var scores: [Float]?
        /// Of byte-pair encoding, best first.
        public var merges: [String]?
        public var bos, eos, eot, unknown: Int32?
        public var addsBOS: Bool
        public var addsSpacePrefix: Bool
    }

    /// The same vocabulary in GGUF's spelling.
    public var ggml: GGMLKeys {
        let texts = (0..<count).map(spelling)
        var keys = GGMLKeys(
            model: "llama", tokens: texts, types: types.map(\.rawValue), bos: options.bos, eos: options.eos,
            eot: options.eot, unknown: types.firstIndex(of: .unknown).map { Int32(truncatingIfNeeded: $0) },
            addsBOS: options.addsBOS, addsSpacePrefix: options.addsSpacePrefix)
        switch model {
        case .sentencePiece:
            keys.scores = scores
        case .bytePair(let rule):
            keys.model = "gpt2"
            keys.pre = rule.ggmlName(ignoringMerges: options.ignoresMerges)
            keys.merges = merges.entries.sorted { ($0.value, $0.first) < ($1.value, $1.first) }
                .map { "\(texts[Int($0.first)]) \(texts[Int($0.second)])" }
        }
        return keys
    }

    private func spelling(_ id: Int) -> String {
        switch (model, types[id]) {
        case (.bytePair, .normal), (.bytePair, .unused):
            var text = String.UnicodeScalarView()
            for byte in tokens[id] { text.append(ByteLevelAlphabet.scalars[Int(byte)]) }
            return String(text)
        case (.sentencePiece, .byte):
            let digits = String(tokens[id].first ?? 0, radix: 16, uppercase: true)
            return "<0x" + (digits.count == 1 ? "0" : "") + digits + ">"
        case (.sentencePiece, .normal), (.sentencePiece, .userDefined), (.sentencePiece, .unused):
            return tokens.text(id).replacing(" ", with: "\u{2581}")
        default:
            return tokens.text(id)
        }
    }
}

extension PreTokenizer {
    /// A name of `tokenizer.ggml.pre` that means this rule, where a word that is a token is merged too or not.
    fileprivate func ggmlName(ignoringMerges: Bool) -> String {
        switch self {
        case .gpt2: "gpt-2"
        case .smollm: "smollm"
        case .llama3: ignoringMerges ? "llama-bpe" : "smaug-bpe"
        }
    }
}
