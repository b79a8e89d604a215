extension Vocabulary {
    /// A vocabulary from the values of GGUF's `tokenizer.ggml.*` keys.
    ///
    /// - Parameters:
    ///   - ggmlModel: `model`: "gpt2" for byte-pair encoding, "llama" for SentencePiece.
    ///   - pre: `pre`, the splitting rule; where it is missing, Llama 3's own tokens tell its files apart.
    ///   - tokens: in the file's spelling: the byte-level alphabet, or with U+2581 for a space.
    ///   - scores: one for each token; SentencePiece vocabularies need them.
    ///   - types: `token_type`, one for each token.
    ///   - merges: "left right", best first; byte-pair vocabularies need them.
    ///   - bos: `bos_token_id`.
    ///   - eos: `eos_token_id`.
    ///   - eot: `eot_token_id`.
    ///   - addsBOS: `add_bos_token`; where it is missing, as the model's kind does.
    ///   - addsSpacePrefix: `add_space_prefix`, likewise.
    /// - Throws: ``TokenizerError`` for an unknown model or rule, and for parts that do not fit together.
    public init(
        ggmlModel: String, pre: String?, tokens: [String], scores: [Float]?, types: [Int32]?,
        merges: [String]?,
        bos: Int32?, eos: Int32?, eot: Int32? = nil, addsBOS: Bool? = nil, addsSpacePrefix: Bool? = nil
    ) throws(TokenizerError) {
        var options = Options()
        (options.bos, options.eos, options.eot) = (bos, eos, eot)
        switch ggmlModel {
        case "gpt2":
            let rule = try Self.preTokenizer(pre, tokens)
            let plainLlama3 = pre != "dbrx" && pre != "smaug-bpe"
            options.ignoresMerges = rule == .llama3 && plainLlama3
            options.addsBOS = addsBOS ?? options.ignoresMerges
            guard let merges else { throw .missing("merges") }
            try self.init(byteLevel: rule, tokens, types: Self.tokenTypes(types, tokens), options: options)
            try addMerges(Self.split(merges))
        case "llama":
            options.addsBOS = addsBOS ?? true
            options.addsSpacePrefix = addsSpacePrefix ?? true
            guard let scores else { throw .missing("scores") }
            try self.init(
                pieces: tokens, types: Self.tokenTypes(types, tokens), scores: scores, options: options)
        default:
            throw .unsupported(what: "tokenizer model (expected gpt2 or llama)", found: ggmlModel)
        }
    }

    /// Tokens in the byte-level alphabet; control and user-defined ones are spelt as they are.
    init(
        byteLevel rule: PreTokenizer, _ texts: [String], types: [TokenType], options: Options
    ) throws(TokenizerError) {
        var types = types
        var tokens = ByteStrings()
        tokens.reserve(count: texts.count, bytes: texts.count * 8)
        for (id, text) in texts.enumerated() {
            guard id < types.count, types[id] == .normal || types[id] == .unused else {
                tokens.append(text.utf8)
                continue
            }
            // Outside the alphabet no text can become the token; it may still be decoded.
            if !ByteLevelAlphabet.append(text[...], to: &tokens) { types[id] = .unused }
        }
        try self.init(
            model: .bytePair(rule), tokens: tokens, types: types, scores: [], options: options)
    }

    /// Tokens in SentencePiece's spelling: U+2581 for a space, `<0x0A>` for a byte.
    init(
        pieces: [String], types: [TokenType], scores: [Float], options: Options
    ) throws(TokenizerError) {
        var options = options
        var tokens = ByteStrings()
        tokens.reserve(count: pieces.count, bytes: pieces.count * 8)
        for (id, piece) in pieces.enumerated() {
            switch id < types.count ? types[id] : .normal {
            case .byte:
                guard let byte = Self.byte(ofPiece: piece) else {
                    throw .invalidToken(id: id, reason: "\"\(piece.prefix(64))\" is no byte")
                }
                tokens.append([byte])
            case .control, .unknown:
                tokens.append(piece.utf8)
                // Files without these keys mean Llama 2's names.
                if piece == "<s>", options.bos == nil { options.bos = Int32(truncatingIfNeeded: id) }
                if piece == "</s>", options.eos == nil { options.eos = Int32(truncatingIfNeeded: id) }
            case .normal, .userDefined, .unused:
                tokens.append(Self.unescaped(piece))
            }
        }
        try self.init(
            model: .sentencePiece, tokens: tokens, types: types, scores: scores, options: options)
    }

    /// The byte of a piece like `<0x0A>`.
    static func byte(ofPiece piece: String) -> UInt8? {
        guard piece.utf8.count == 6, piece.hasPrefix("<0x"), piece.hasSuffix(">") else { return nil }
        return UInt8(piece.dropFirst(3).dropLast(), radix: 16)
    }

    private static func unescaped(_ piece: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(piece.utf8.count)
        for scalar in piece.unicodeScalars {
            if scalar == "\u{2581}" {
                bytes.append(UInt8(ascii: " "))
            } else {
                bytes.append(contentsOf: UTF8.encode(scalar)!)
            }
        }
        return bytes
    }

    private static func tokenTypes(_ types: [Int32]?, _ tokens: [String]) throws(TokenizerError)
        -> [TokenType]
    {
        guard let types else { return [TokenType](repeating: .normal, count: tokens.count) }
        // GGUF's type 0 is "undefined".
        return types.map { TokenType(rawValue: $0) ?? .normal }
    }

    private static func preTokenizer(_ pre: String?, _ tokens: [String]) throws(TokenizerError)
        -> PreTokenizer
    {
        guard let pre, pre != "default" else {
            // Early conversions lack the key.
            return tokens.contains("<|begin_of_text|>") && tokens.contains("<|eot_id|>") ? .llama3 : .gpt2
        }
        guard let rule = PreTokenizer(ggmlName: pre) else {
            throw .unsupported(what: "pre-tokenizer", found: pre)
        }
        return rule
    }

    /// The halves of "left right" entries in the byte-level alphabet, which has no space.
    static func split(_ merges: [String]) throws(TokenizerError) -> ByteStrings {
        var pairs = ByteStrings()
        pairs.reserve(count: merges.count * 2, bytes: merges.count * 8)
        for (index, merge) in merges.enumerated() {
            guard let space = merge.utf8.firstIndex(of: UInt8(ascii: " ")) else {
                throw .invalidMerge(index: index, text: merge)
            }
            let right = merge[merge.utf8.index(after: space)...]
            guard ByteLevelAlphabet.append(merge[..<space], to: &pairs),
                ByteLevelAlphabet.append(right, to: &pairs)
            else { throw .invalidMerge(index: index, text: merge) }
        }
        return pairs
    }
}
