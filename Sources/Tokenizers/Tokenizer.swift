import StrictJSON

/// Turns text into tokens and back.
///
/// Any bytes may be encoded, and decoding gives them back. Text never becomes a control token unless the caller
/// says that it may. A value: immutable and safe to share.
public struct Tokenizer: Sendable {
    private let vocabulary: Vocabulary
    private let encoder: any TokenEncoder
    private let userDefined: TokenScanner
    private let special: TokenScanner
    private let specialIDs: [ExactName: Int32]

    /// How many tokens there are; ids are 0..<vocabularySize.
    public var vocabularySize: Int { vocabulary.count }
    /// The token that begins a prompt.
    public var bos: Int32? { vocabulary.options.bos }
    /// The token that ends a document.
    public var eos: Int32? { vocabulary.options.eos }
    /// Whether a prompt should begin with ``bos``; `encode` leaves that to its caller.
    public var addsBOS: Bool { vocabulary.options.addsBOS && vocabulary.options.bos != nil }
    /// Whether text that begins a prompt or an answer has a space in front, which is no part of it.
    public var addsSpacePrefix: Bool { vocabulary.options.addsSpacePrefix }
    /// Every token after which an answer is complete.
    public let endOfGeneration: Set<Int32>

    /// - Throws: ``TokenizerError`` if the vocabulary cannot encode.
    public init(_ vocabulary: Vocabulary) throws(TokenizerError) {
        self.vocabulary = vocabulary
        switch vocabulary.model {
        case .bytePair(let rule): encoder = BytePairEncoder(vocabulary, rule: rule)
        case .sentencePiece: encoder = try SentencePieceEncoder(vocabulary)
        }
        endOfGeneration = EndOfGeneration.ids(of: vocabulary)
        var userDefined = TokenScanner()
        var special = TokenScanner()
        var specialIDs: [ExactName: Int32] = [:]
        for id in 0..<vocabulary.count {
            switch vocabulary.types[id] {
            case .userDefined: userDefined.insert(vocabulary.tokens[id], id: Int32(id))
            case .control, .unknown: break
            case .normal, .unused, .byte: continue
            }
            special.insert(vocabulary.tokens[id], id: Int32(id))
            let text = vocabulary.tokens.text(id)
            if let other = specialIDs.updateValue(Int32(id), forKey: ExactName(text)) {
                throw .duplicateToken(text: text, first: Int(other), second: id)
            }
        }
        self.userDefined = userDefined
        self.special = special
        self.specialIDs = specialIDs
    }

    /// The tokens of a text; ``bos`` is not added.
    ///
    /// With `parsingSpecial` the text of a control token becomes that token. That is only for text that no user
    /// wrote: otherwise a user could end their turn and speak for the system.
    public func encode(_ text: String, parsingSpecial: Bool = false) -> [Int32] {
        var text = text
        return text.withUTF8 { encode($0, parsingSpecial: parsingSpecial).tokens }
    }

    /// The tokens of any bytes, UTF-8 or not.
    public func encode(_ bytes: [UInt8]) -> [Int32] {
        bytes.withUnsafeBufferPointer { encode($0, parsingSpecial: false).tokens }
    }

    /// The id of a control or user-defined token by its exact text, such as `<|eot_id|>`.
    public func special(_ name: String) -> Int32? { specialIDs[ExactName(name)] }

    /// Whether a token is no text: a control token, or the one for unknown text.
    public func isControl(_ token: Int32) -> Bool {
        guard let type = type(of: token) else { return false }
        return type == .control || type == .unknown
    }

    /// The bytes that a token stands for, which need not be whole characters.
    ///
    /// A control token has none, or its name if it is to be rendered; neither has an id outside the vocabulary.
    public func bytes(of token: Int32, rendersSpecial: Bool = false) -> [UInt8] {
        guard type(of: token) != nil, rendersSpecial || !isControl(token) else { return [] }
        return Array(vocabulary.tokens[Int(token)])
    }

    /// The bytes that tokens stand for.
    ///
    /// - Parameters:
    ///   - tokens: in order.
    ///   - rendersSpecial: whether control tokens appear by name.
    ///   - continuing: the tokens follow others, so that a leading space is text. Otherwise the space that
    ///     `encode` puts before text (SentencePiece only) is taken away again.
    /// - Returns: the text, as bytes: tokens that a model chose need not form valid UTF-8.
    public func decode(_ tokens: [Int32], rendersSpecial: Bool = false, continuing: Bool = false) -> [UInt8] {
        var result: [UInt8] = []
        var atStart = !continuing
        for token in tokens {
            result += bytes(of: token, atStart: &atStart, rendersSpecial: rendersSpecial)
        }
        return result
    }

    /// One token's bytes within a text; `atStart` says whether the next text begins a prompt, and is kept up.
    func bytes(of token: Int32, atStart: inout Bool, rendersSpecial: Bool) -> [UInt8] {
        let bytes = bytes(of: token, rendersSpecial: rendersSpecial)
        if isControl(token) {
            atStart = true
            return bytes
        }
        defer { if !bytes.isEmpty { atStart = false } }
        guard atStart, vocabulary.options.addsSpacePrefix, bytes.first == UInt8(ascii: " ") else {
            return bytes
        }
        return Array(bytes.dropFirst())
    }

    /// Encodes, and counts the queue operations that merging took.
    func encode(_ text: UnsafeBufferPointer<UInt8>, parsingSpecial: Bool) -> (tokens: [Int32], steps: Int) {
        let scanner = parsingSpecial ? special : userDefined
        var run = EncodingRun(text: text, needsSpace: vocabulary.options.addsSpacePrefix)
        run.tokens.reserveCapacity(text.count / 4 + 1)
        var start = 0
        var index = 0
        while !scanner.isEmpty, index < text.count {
            guard let (id, length) = scanner.match(text, at: index) else {
                index += 1
                continue
            }
            if start < index { encoder.encode(start..<index, &run) }
            run.tokens.append(id)
            run.needsSpace = isControl(id) && vocabulary.options.addsSpacePrefix
            index += length
            start = index
        }
        if start < text.count { encoder.encode(start..<text.count, &run) }
        return (run.tokens, run.merger.steps)
    }

    private func type(of token: Int32) -> Vocabulary.TokenType? {
        (0..<vocabulary.count).contains(Int(token)) ? vocabulary.types[Int(token)] : nil
    }
}

/// The state of one `encode` call: its text, and what came of it so far.
struct EncodingRun {
    let text: UnsafeBufferPointer<UInt8>
    var tokens: [Int32] = []
    var merger = SymbolMerger()
    /// Whether the next piece of text gets a space in front.
    var needsSpace: Bool

    init(text: UnsafeBufferPointer<UInt8>, needsSpace: Bool) {
        self.text = text
        self.needsSpace = needsSpace
    }
}

/// Encodes text that holds no special token.
protocol TokenEncoder: Sendable {
    /// Appends the tokens of the text's bytes in `range`, which is not empty.
    func encode(_ range: Range<Int>, _ run: inout EncodingRun)
}
