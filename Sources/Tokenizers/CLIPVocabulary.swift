/// The tokens of a CLIP text encoder: byte-level pieces, of which the last of a word is spelt with `</w>` at its end.
public struct CLIPVocabulary: Sendable {
    /// A token that is found in a text as a whole, before the text is cut into words.
    struct AddedToken: Sendable {
        let text: String
        let id: Int32
        /// Whether it is looked for after the text was normalised, so that its case doesn't matter.
        let isNormalized: Bool
    }

    static let wordEnd = "</w>"
    /// Of OpenAI's CLIP, and of every model whose files don't say otherwise.
    static let defaultContextLength = 77

    /// Each token as its file spells it, in the byte-level alphabet.
    let spellings: ByteStrings
    /// (left, right) -> rank << 32 | merged token.
    let merges: PairTable
    let addedTokens: [AddedToken]
    let bos: Int32
    let eos: Int32
    let pad: Int32
    let contextLength: Int
    /// byte -> its token within a word; `unknown` where a trimmed vocabulary has none.
    private let innerTokens: [Int32]
    /// byte -> its token at a word's end.
    private let lastTokens: [Int32]

    /// A vocabulary from its plain parts.
    ///
    /// - Parameters:
    ///   - spellings: the tokens' spellings by id, those of added tokens included.
    ///   - pairs: the halves of merge i at 2i and 2i + 1, best first.
    ///   - settings: the tokens with a special part, which `spellings` must have.
    /// - Throws: ``TokenizerError`` if the parts do not fit together.
    init(spellings: ByteStrings, merges pairs: ByteStrings, settings: CLIPSettings) throws(TokenizerError) {
        let table = try Self.table(of: spellings)
        func id(_ text: String, _ what: String) throws(TokenizerError) -> Int32 {
            guard let id = table.find(text, in: spellings) else {
                throw .missing("\(what), which would be \"\(text.prefix(64))\"")
            }
            return id
        }
        self.spellings = spellings
        merges = try Self.mergeTable(pairs, table, spellings)
        bos = try id(settings.bos, "token that begins a text")
        eos = try id(settings.eos, "token that ends a text")
        pad = try id(settings.pad, "token for padding")
        contextLength = settings.contextLength
        var added: [AddedToken] = []
        for token in settings.addedTokens where !token.text.isEmpty {
            added.append(
                AddedToken(
                    text: token.text, id: try id(token.text, "added token"), isNormalized: token.isNormalized)
            )
        }
        addedTokens = added
        let unknown = try id(settings.unknown, "token for unknown bytes")
        innerTokens = ByteLevelAlphabet.scalars.map { table.find(String($0), in: spellings) ?? unknown }
        lastTokens = ByteLevelAlphabet.scalars.map {
            table.find(String($0) + Self.wordEnd, in: spellings) ?? unknown
        }
    }

    /// The token of one byte of a word.
    func token(of byte: UInt8, endingWord: Bool) -> Int32 {
        endingWord ? lastTokens[Int(byte)] : innerTokens[Int(byte)]
    }

    /// Appends the bytes that a token stands for; a word's end is a space.
    func appendText(of token: Int32, to bytes: inout [UInt8]) {
        guard (0..<spellings.count).contains(Int(token)) else { return }
        var text = spellings.text(Int(token))[...]
        let endsWord = text.hasSuffix(Self.wordEnd)
        if endsWord { text = text.dropLast(Self.wordEnd.count) }
        for scalar in text.unicodeScalars {
            if let byte = ByteLevelAlphabet.byte(of: scalar) {
                bytes.append(byte)
            } else {
                bytes += Array(String(scalar).utf8)
            }
        }
        if endsWord { bytes.append(UInt8(ascii: " ")) }
    }

    private static func table(of spellings: ByteStrings) throws(TokenizerError) -> TokenTable {
        var table = TokenTable(capacity: spellings.count)
        for id in 0..<spellings.count {
            guard spellings.range(id).count <= Vocabulary.Limit.tokenBytes else {
                throw .invalidToken(id: id, reason: "\(spellings.range(id).count) bytes long")
            }
            if let other = table.insert(id, of: spellings) {
                throw .duplicateToken(text: spellings.text(id), first: other, second: id)
            }
        }
        return table
    }

    private static func mergeTable(
        _ pairs: ByteStrings, _ table: TokenTable, _ spellings: ByteStrings
    ) throws(TokenizerError) -> PairTable {
        let count = pairs.count / 2
        guard count <= Vocabulary.Limit.mergeCount else {
            throw .tooLarge(what: "the list of merges", limit: Vocabulary.Limit.mergeCount, found: count)
        }
        var merges = PairTable(capacity: count)
        for index in 0..<count {
            let left = pairs.range(index * 2)
            let right = pairs.range(index * 2 + 1)
            let ids = pairs.storage.withUnsafeBufferPointer { storage in
                [left, right, left.lowerBound..<right.upperBound].compactMap {
                    table.find(UnsafeBufferPointer(rebasing: storage[$0]), in: spellings)
                }
            }
            guard ids.count == 3 else {
                throw .invalidMerge(
                    index: index, text: "\(pairs.text(index * 2)) \(pairs.text(index * 2 + 1))")
            }
            merges.insert(ids[0], ids[1], UInt64(index) << 32 | UInt64(ids[2]))
        }
        return merges
    }
}

extension TokenTable {
    /// The index of the string that equals `text` byte by byte.
    func find(_ text: String, in strings: ByteStrings) -> Int32? {
        var text = text
        return text.withUTF8 { find($0, in: strings) }
    }
}
