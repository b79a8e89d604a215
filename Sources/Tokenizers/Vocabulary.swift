/// The tokens of a model and the rules that text is cut by, whatever file they came from.
///
/// A token is kept as the bytes that it stands for, not in its file's spelling; the white-space mark U+2581 of
/// SentencePiece is a space here, so a text's own U+2581 is never mistaken for one.
public struct Vocabulary: Sendable {
    /// How text becomes tokens.
    public enum Model: Sendable, Equatable {
        /// Byte-level byte-pair encoding by ranked merges.
        case bytePair(PreTokenizer)
        /// SentencePiece's byte-pair model: the best score is merged first, unknown characters become bytes.
        case sentencePiece
    }

    /// What a token is for; the raw values are those of GGUF and of SentencePiece.
    public enum TokenType: Int32, Sendable {
        case normal = 1, unknown, control, userDefined, unused, byte
    }

    /// Beyond these sizes a file is refused.
    enum Limit {
        static let tokenCount = 1 << 20
        static let tokenBytes = 4096
        static let totalBytes = 64 << 20
        static let mergeCount = 1 << 22
    }

    /// The ids and settings that go with a list of tokens.
    public struct Options: Sendable {
        public var bos: Int32?
        public var eos: Int32?
        /// The end of a turn, where a file names one.
        public var eot: Int32?
        /// A prompt begins with `bos`.
        public var addsBOS = false
        /// Text that begins a prompt or follows a control token gets a space in front (SentencePiece).
        public var addsSpacePrefix = false
        /// A word that is a token is taken at once, without merging (Llama 3).
        public var ignoresMerges = false

        public init() {}
    }

    public let model: Model
    public let options: Options
    let tokens: ByteStrings
    private(set) var types: [TokenType]
    let scores: [Float]
    /// Finds the tokens that text can become: normal, user-defined and unused ones.
    let table: TokenTable
    /// (left, right) -> rank << 32 | merged token.
    var merges = PairTable()

    public var count: Int { tokens.count }

    /// A vocabulary from its plain parts.
    ///
    /// - Parameters:
    ///   - model: how text becomes tokens.
    ///   - tokens: the bytes of each token; of control tokens, their text.
    ///   - types: one for each token.
    ///   - scores: one for each token of a SentencePiece vocabulary; empty otherwise.
    ///   - merges: the pairs of a byte-pair vocabulary, best first.
    ///   - options: special ids and settings.
    /// - Throws: ``TokenizerError`` if the parts do not fit together.
    public init(
        model: Model, tokens: [[UInt8]], types: [TokenType], scores: [Float] = [],
        merges: [(left: [UInt8], right: [UInt8])] = [], options: Options = Options()
    ) throws(TokenizerError) {
        try self.init(
            model: model, tokens: ByteStrings(tokens), types: types, scores: scores, options: options)
        var pairs = ByteStrings()
        for merge in merges {
            pairs.append(merge.left)
            pairs.append(merge.right)
        }
        try addMerges(pairs)
    }

    init(
        model: Model, tokens: ByteStrings, types: [TokenType], scores: [Float], options: Options
    ) throws(TokenizerError) {
        try Self.checkSizes(tokens, types, scores, model)
        self.model = model
        self.tokens = tokens
        self.types = zip(0..., types).map { Self.corrected($1, text: tokens[$0]) }
        self.scores = scores
        self.options = options
        table = try Self.makeTable(tokens, self.types)
        try Self.checkID(options.bos, "bos", tokens.count)
        try Self.checkID(options.eos, "eos", tokens.count)
        try Self.checkID(options.eot, "eot", tokens.count)
    }

    /// Adds ranked merges; strings 2i and 2i + 1 of `pairs` are the halves of merge i.
    ///
    /// A merge that gives a control token is left out: text never becomes one.
    mutating func addMerges(_ pairs: ByteStrings) throws(TokenizerError) {
        let count = pairs.count / 2
        guard count <= Limit.mergeCount else {
            throw .tooLarge(what: "the list of merges", limit: Limit.mergeCount, found: count)
        }
        merges = PairTable(capacity: count)
        let controlTexts = Set(types.indices.filter { types[$0] == .control }.map { tokens[$0] })
        for index in 0..<count {
            let left = pairs.range(index * 2)
            let right = pairs.range(index * 2 + 1)
            let whole = left.lowerBound..<right.upperBound
            if let first = find(left, of: pairs), let second = find(right, of: pairs),
                let merged = find(whole, of: pairs)
            {
                merges.insert(first, second, UInt64(index) << 32 | UInt64(merged))
            } else if !controlTexts.contains(pairs.storage[whole]) {
                throw .invalidMerge(index: index, text: String(decoding: pairs.storage[whole], as: UTF8.self))
            }
        }
    }

    /// Derives the merges of a vocabulary that is ordered by rank: any two neighbours that form a token merge,
    /// the lowest token first (tiktoken's rule).
    mutating func addMergesByTokenOrder() {
        merges = PairTable(capacity: count * 4)
        tokens.storage.withUnsafeBufferPointer { storage in
            for id in 0..<count where types[id] == .normal {
                let range = tokens.range(id)
                for middle in range.dropFirst() {
                    let left = UnsafeBufferPointer(rebasing: storage[range.lowerBound..<middle])
                    let right = UnsafeBufferPointer(rebasing: storage[middle..<range.upperBound])
                    guard let first = table.find(left, in: tokens) else { continue }
                    guard let second = table.find(right, in: tokens) else { continue }
                    merges.insert(first, second, UInt64(id) << 32 | UInt64(id))
                }
            }
        }
    }

    /// The token of a single byte of text, in a byte-pair vocabulary.
    func token(ofByte byte: UInt8) -> Int32? {
        withUnsafeBytes(of: byte) { table.find($0.assumingMemoryBound(to: UInt8.self), in: tokens) }
    }

    private func find(_ range: Range<Int>, of strings: ByteStrings) -> Int32? {
        strings.storage.withUnsafeBufferPointer { storage in
            table.find(UnsafeBufferPointer(rebasing: storage[range]), in: tokens)
        }
    }

    private static func checkSizes(
        _ tokens: ByteStrings, _ types: [TokenType], _ scores: [Float], _ model: Model
    ) throws(TokenizerError) {
        guard tokens.count > 0 else { throw .missing("tokens") }
        guard tokens.count <= Limit.tokenCount else {
            throw .tooLarge(what: "the vocabulary", limit: Limit.tokenCount, found: tokens.count)
        }
        guard tokens.storage.count <= Limit.totalBytes else {
            throw .tooLarge(what: "the tokens' text", limit: Limit.totalBytes, found: tokens.storage.count)
        }
        for id in 0..<tokens.count where tokens.range(id).count > Limit.tokenBytes {
            throw .invalidToken(id: id, reason: "\(tokens.range(id).count) bytes long")
        }
        guard types.count == tokens.count else {
            throw .countMismatch(what: "token types", expected: tokens.count, found: types.count)
        }
        guard model == .sentencePiece else { return }
        guard scores.count == tokens.count else {
            throw .countMismatch(what: "token scores", expected: tokens.count, found: scores.count)
        }
        if let id = scores.firstIndex(where: \.isNaN) {
            throw .invalidToken(id: id, reason: "its score is NaN")
        }
    }

    private static func checkID(_ id: Int32?, _ name: String, _ count: Int) throws(TokenizerError) {
        guard let id, !(0..<count).contains(Int(id)) else { return }
        throw .idOutOfRange(what: name, id: Int(id), vocabularySize: count)
    }

    private static func makeTable(_ tokens: ByteStrings, _ types: [TokenType]) throws(TokenizerError)
        -> TokenTable
    {
        var table = TokenTable(capacity: tokens.count)
        for id in 0..<tokens.count {
            switch types[id] {
            case .normal, .userDefined, .unused:
                if let other = table.insert(id, of: tokens), types[id] != .unused {
                    throw .duplicateToken(text: tokens.text(id), first: other, second: id)
                }
            case .control, .unknown, .byte:
                continue
            }
        }
        return table
    }

    /// The type that a token should have had: converters mark some control tokens as text.
    ///
    /// What ends an answer and what is spelt `<|like this|>` is a control token, so that text never becomes one.
    private static func corrected(_ type: TokenType, text: ArraySlice<UInt8>) -> TokenType {
        guard type == .normal || type == .userDefined, text.count >= 3 else { return type }
        let bracketed = text.first == UInt8(ascii: "<") && text.last == UInt8(ascii: ">")
        guard bracketed || text.first == UInt8(ascii: "[") else { return type }
        if EndOfGeneration.names.contains(String(decoding: text, as: UTF8.self)) { return .control }
        let pipe = UInt8(ascii: "|")
        let piped = bracketed && text.dropFirst().first == pipe && text.dropLast().last == pipe
        return piped && type == .userDefined ? .control : type
    }
}
