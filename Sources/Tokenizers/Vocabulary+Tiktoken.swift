extension Vocabulary {
    /// Llama 3's own tokenizer.model: a line for each token, its bytes in base 64 and its rank.
    ///
    /// The file holds no special tokens; they follow in the order in which Llama 3.1 and later name them, which
    /// keeps the ids of Llama 3.
    ///
    /// - Parameter tiktoken: the file's bytes.
    /// - Throws: ``TokenizerError``.
    public init(tiktoken: [UInt8]) throws(TokenizerError) {
        // Every way to cut a token in two is tried, so both its length and their number are bounded.
        let (sizeLimit, tokenLimit) = (16 << 20, 256)
        guard tiktoken.count <= sizeLimit else {
            throw .tooLarge(what: "tokenizer.model", limit: sizeLimit, found: tiktoken.count)
        }
        var tokens = ByteStrings()
        for line in tiktoken.split(separator: UInt8(ascii: "\n")) {
            let parts = line.split(separator: UInt8(ascii: " "))
            guard parts.count == 2, let bytes = Self.base64(parts[0]), !bytes.isEmpty else {
                throw .malformed(
                    format: "tokenizer.model", offset: line.startIndex, reason: "expected base64 and a rank")
            }
            guard Int(String(decoding: parts[1], as: UTF8.self)) == tokens.count else {
                throw .malformed(
                    format: "tokenizer.model", offset: line.startIndex,
                    reason: "expected rank \(tokens.count)")
            }
            guard bytes.count <= tokenLimit else {
                throw .invalidToken(id: tokens.count, reason: "\(bytes.count) bytes long")
            }
            tokens.append(bytes)
        }
        let firstSpecial = tokens.count
        for name in Self.llama3SpecialTokens { tokens.append(name.utf8) }
        var types = [TokenType](repeating: .normal, count: tokens.count)
        for id in firstSpecial..<tokens.count { types[id] = .control }
        var options = Options()
        options.bos = Int32(truncatingIfNeeded: firstSpecial)
        options.eos = Int32(truncatingIfNeeded: firstSpecial + 1)
        options.addsBOS = true
        options.ignoresMerges = true
        try self.init(
            model: .bytePair(.llama3), tokens: tokens, types: types, scores: [], options: options)
        for byte in UInt8.min ... .max where token(ofByte: byte) == nil {
            throw .missing("token for byte \(byte)")
        }
        addMergesByTokenOrder()
    }

    /// The 256 special tokens of Llama 3.1, 3.2 and 3.3.
    static let llama3SpecialTokens: [String] = {
        let reserved = { (numbers: ClosedRange<Int>) in numbers.map { "<|reserved_special_token_\($0)|>" } }
        return ["<|begin_of_text|>", "<|end_of_text|>"] + reserved(0...1)
            + ["<|finetune_right_pad_id|>"] + reserved(2...2)
            + ["<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>"]
            + reserved(3...247)
    }()

    private static func base64(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var digits = text
        while digits.last == UInt8(ascii: "=") { digits.removeLast() }
        guard text.count % 4 == 0, text.count - digits.count <= 2 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count * 3 / 4)
        var buffer: UInt32 = 0
        var bits = 0
        for digit in digits {
            guard let value = base64Value(digit) else { return nil }
            buffer = buffer << 6 | value
            bits += 6
            guard bits >= 8 else { continue }
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
        }
        return bytes
    }

    private static func base64Value(_ digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit) + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
