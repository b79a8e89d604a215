import StrictJSON

extension CLIPVocabulary {
    /// A vocabulary from the two files of a tokenizer's directory.
    ///
    /// - Parameters:
    ///   - vocabulary: the bytes of vocab.json, an object from spelling to id.
    ///   - merges: those of merges.txt, a pair a line, best first.
    ///   - settings: the files beside them.
    /// - Throws: ``TokenizerError``, also for ids that are not 0..<n and merges of unknown tokens.
    public init(
        vocabulary: [UInt8], merges: [UInt8], settings: CLIPSettingsFiles
    ) throws(TokenizerError) {
        let tokens = try JSONValue(vocabularyFile: vocabulary, name: "vocab.json")
        let settings = try CLIPSettings(settings)
        try self.init(
            spellings: try Self.spellings(tokens, settings), merges: try Self.pairs(mergesFile: merges),
            settings: settings)
    }

    /// A vocabulary from tokenizer.json, of which only the tokens and merges count: the steps around them are CLIP's.
    ///
    /// - Throws: ``TokenizerError``, also for another kind of tokenizer.
    public init(tokenizerJSON: [UInt8], settings: CLIPSettingsFiles) throws(TokenizerError) {
        let file = try JSONValue(vocabularyFile: tokenizerJSON, name: "tokenizer.json")
        guard let model = file["model"], let tokens = model["vocab"] else { throw .missing("vocab") }
        guard model["type"]?.string ?? "BPE" == "BPE", model["end_of_word_suffix"]?.string == Self.wordEnd
        else {
            throw .unsupported(
                what: "tokenizer model (expected BPE with \(Self.wordEnd))",
                found: model["type"]?.string ?? "BPE without it")
        }
        guard let merges = model["merges"]?.array else { throw .missing("merges") }
        var pairs = ByteStrings()
        for (index, merge) in merges.enumerated() {
            if let halves = merge.array?.map(\.string), halves.count == 2, let left = halves[0],
                let right = halves[1]
            {
                pairs.append(left.utf8)
                pairs.append(right.utf8)
            } else {
                try Self.append(Array((merge.string ?? "").utf8)[...], index: index, to: &pairs)
            }
        }
        let settings = try CLIPSettings(settings, tokenizerJSON: file["added_tokens"]?.array ?? [])
        try self.init(spellings: try Self.spellings(tokens, settings), merges: pairs, settings: settings)
    }

    /// The vocabulary that a list of merges implies, as OpenAI made CLIP's: the bytes, the bytes that end a word, what
    /// the merges give, and the tokens for beginning and end.
    ///
    /// - Parameters:
    ///   - merges: a pair a line, best first.
    ///   - pad: the text of the token for padding.
    /// - Throws: ``TokenizerError``.
    public init(merges: [UInt8], pad: String = "<|endoftext|>") throws(TokenizerError) {
        let settings = CLIPSettings(pad: pad)
        let pairs = try Self.pairs(mergesFile: merges)
        var spellings = ByteStrings()
        for end in ["", Self.wordEnd] {
            for scalar in ByteLevelAlphabet.scalars.sorted() { spellings.append((String(scalar) + end).utf8) }
        }
        for index in 0..<pairs.count / 2 {
            spellings.append(pairs[index * 2] + pairs[index * 2 + 1])
        }
        spellings.append(settings.bos.utf8)
        spellings.append(settings.eos.utf8)
        try self.init(spellings: spellings, merges: pairs, settings: settings)
    }

    /// The spellings by id of a vocabulary's object, and of added tokens beyond it.
    private static func spellings(
        _ vocabulary: JSONValue, _ settings: CLIPSettings
    ) throws(TokenizerError) -> ByteStrings {
        guard let members = vocabulary.object?.members else {
            throw .unsupported(what: "vocabulary (expected an object)", found: vocabulary.described)
        }
        var known = Set(members.map { ExactName($0.name) })
        var entries = members.map { (text: $0.name, id: $0.value.int) }
        for token in settings.addedTokens {
            guard let id = token.id, known.insert(ExactName(token.text)).inserted else { continue }
            entries.append((token.text, id))
        }
        guard entries.count <= Vocabulary.Limit.tokenCount else {
            throw .tooLarge(what: "the vocabulary", limit: Vocabulary.Limit.tokenCount, found: entries.count)
        }
        var slots = [String?](repeating: nil, count: entries.count)
        for (text, id) in entries {
            guard let id else { throw .missing("id of token \"\(text.prefix(64))\"") }
            guard slots.indices.contains(id) else {
                throw .idOutOfRange(
                    what: "the id of \"\(text.prefix(64))\"", id: id, vocabularySize: slots.count)
            }
            if let other = slots[id] {
                throw .invalidToken(
                    id: id, reason: "it is both \"\(other.prefix(64))\" and \"\(text.prefix(64))\"")
            }
            slots[id] = text
        }
        return ByteStrings(slots.lazy.compactMap(\.self).map { Array($0.utf8) })
    }

    /// The halves of merge i at 2i and 2i + 1.
    private static func pairs(mergesFile bytes: [UInt8]) throws(TokenizerError) -> ByteStrings {
        guard bytes.count <= Vocabulary.Limit.totalBytes else {
            throw .tooLarge(what: "merges.txt", limit: Vocabulary.Limit.totalBytes, found: bytes.count)
        }
        var pairs = ByteStrings()
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n")).enumerated() {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            if index == 0, line.starts(with: "#version".utf8) || line.isEmpty { continue }
            try append(line, index: pairs.count / 2, to: &pairs)
        }
        return pairs
    }

    private static func append(
        _ line: ArraySlice<UInt8>, index: Int, to pairs: inout ByteStrings
    ) throws(TokenizerError) {
        let halves = line.split(separator: UInt8(ascii: " "))
        guard halves.count == 2 else {
            throw .invalidMerge(index: index, text: String(decoding: line.prefix(64), as: UTF8.self))
        }
        pairs.append(halves[0])
        pairs.append(halves[1])
    }
}
