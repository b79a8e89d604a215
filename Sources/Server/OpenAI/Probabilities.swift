import AssistantAPI

/// Tokens and their probabilities, in the two shapes that OpenAI's API has for them.
enum Probabilities {
    // MARK: - Chat

    static func chat(_ pieces: [TokenPiece]) -> JSON {
        ["content": .array(tokens(pieces)), "refusal": .null]
    }

    /// One object for each token; Ollama's clients know the same.
    static func tokens(_ pieces: [TokenPiece]) -> [JSON] {
        // Text that was held back until the end comes without a token of its own.
        pieces.filter { $0.logprob != nil }.map(chatToken)
    }

    private static func chatToken(_ piece: TokenPiece) -> JSON {
        let alternatives = (piece.alternatives ?? []).map { members(bytes: $0.bytes, logprob: $0.logprob) }
        return .object(
            members(bytes: piece.bytes, logprob: piece.logprob)
                + [.init(name: "top_logprobs", value: .array(alternatives.map(JSON.object)))])
    }

    private static func members(bytes: [UInt8], logprob: Double?) -> [JSON.Member] {
        [
            .init(name: "token", value: .string(String(decoding: bytes, as: UTF8.self))),
            .init(name: "logprob", value: JSON(logprob)),
            .init(name: "bytes", value: .array(bytes.map { JSON(Int($0)) })),
        ]
    }

    // MARK: - Legacy completions

    /// The parallel arrays of `POST /v1/completions`, as evaluation harnesses read them.
    ///
    /// `start` characters of text stand before the first piece.
    static func legacy(_ pieces: [TokenPiece], from start: Int = 0) -> JSON {
        var offset = start
        var offsets: [JSON] = []
        for piece in pieces {
            offsets.append(JSON(offset))
            offset += piece.text.unicodeScalars.count
        }
        return [
            "tokens": .array(pieces.map { .string(legacyName($0.bytes)) }),
            "token_logprobs": .array(pieces.map { JSON($0.logprob) }),
            "top_logprobs": .array(pieces.map(legacyAlternatives)),
            "text_offset": .array(offsets),
        ]
    }

    /// Name to probability, the chosen token always among them; `null` for a token that nothing predicted.
    private static func legacyAlternatives(_ piece: TokenPiece) -> JSON {
        guard let logprob = piece.logprob else { return .null }
        var members: [JSON.Member] = []
        var names: Set<String> = []
        for alternative in piece.alternatives ?? [] {
            let name = legacyName(alternative.bytes)
            // Two tokens can have the same bytes; the likelier one comes first and stays.
            if names.insert(name).inserted {
                members.append(.init(name: name, value: JSON(alternative.logprob)))
            }
        }
        let own = legacyName(piece.bytes)
        if names.insert(own).inserted { members.append(.init(name: own, value: JSON(logprob))) }
        return .object(members)
    }

    /// The token's text, or `bytes:\xe2\x80` for a part of a character.
    private static func legacyName(_ bytes: [UInt8]) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        return "bytes:"
            + bytes.map { byte in
                let digits = String(byte, radix: 16)
                return #"\x"# + (digits.count < 2 ? "0" : "") + digits
            }.joined()
    }
}
