import StrictJSON

/// The files beside a CLIP vocabulary that name its special tokens; each may be absent.
public struct CLIPSettingsFiles: Sendable {
    /// tokenizer_config.json.
    public var configuration: [UInt8]?
    /// special_tokens_map.json.
    public var specialTokens: [UInt8]?
    /// added_tokens.json.
    public var addedTokens: [UInt8]?

    public init(
        configuration: [UInt8]? = nil, specialTokens: [UInt8]? = nil, addedTokens: [UInt8]? = nil
    ) {
        self.configuration = configuration
        self.specialTokens = specialTokens
        self.addedTokens = addedTokens
    }
}

/// Which tokens begin, end and fill a sequence, and which are found in a text as a whole.
struct CLIPSettings {
    /// A token by its text, with the id that a file gives it beyond the vocabulary.
    struct Token {
        let text: String
        var id: Int?
        let isNormalized: Bool
    }

    private(set) var bos = "<|startoftext|>"
    private(set) var eos = "<|endoftext|>"
    private(set) var unknown = "<|endoftext|>"
    private(set) var pad = "<|endoftext|>"
    private(set) var contextLength = CLIPVocabulary.defaultContextLength
    /// Of those with the same text the first counts.
    private(set) var addedTokens: [Token] = []

    private static let names = ["bos_token", "eos_token", "unk_token", "pad_token"]
    /// More added tokens than any model has.
    private static let addedTokenLimit = 1 << 16

    /// The settings that come with OpenAI's vocabulary, with this token for padding.
    init(pad: String) {
        self.pad = pad
        let normalized = zip(Self.names, [bos, eos, unknown]).map { name, text in
            (name, Token(text: text, isNormalized: true))
        }
        addNamedTokens(Dictionary(uniqueKeysWithValues: normalized))
    }

    /// The settings of a directory.
    ///
    /// Like transformers: the special tokens' map counts only where the configuration has no `added_tokens_decoder`,
    /// and then more than the configuration; tokens of tokenizer.json count likewise.
    /// - Parameters:
    ///   - files: what lies beside the vocabulary.
    ///   - list: `added_tokens` of tokenizer.json.
    /// - Throws: ``TokenizerError``.
    init(_ files: CLIPSettingsFiles, tokenizerJSON list: [JSONValue] = []) throws(TokenizerError) {
        let configuration = try Self.object(files.configuration, "tokenizer_config.json")
        var named: [String: Token] = [:]
        for name in Self.names {
            named[name] = try Self.token(configuration?[name], name)
        }
        if let decoder = configuration?["added_tokens_decoder"]?.object {
            for (id, value) in decoder.members {
                guard let number = Int(id) else {
                    throw .unsupported(what: "id of an added token (expected an integer)", found: quoted(id))
                }
                try addToken(value, id: number)
            }
        } else {
            let map = try Self.object(files.specialTokens, "special_tokens_map.json")
            for name in Self.names {
                if let token = try Self.token(map?[name], name) { named[name] = token }
            }
            let added = try Self.object(files.addedTokens, "added_tokens.json")
            for (text, value) in added?.members ?? [] {
                guard let id = value.int else {
                    throw .unsupported(
                        what: "id of an added token (expected an integer)", found: value.described)
                }
                let isNamed = named.values.contains { ExactName($0.text) == ExactName(text) }
                try add(Token(text: text, id: id, isNormalized: !isNamed))
            }
            for value in list { try addToken(value, id: value["id"]?.int) }
        }
        bos = named["bos_token"]?.text ?? bos
        eos = named["eos_token"]?.text ?? eos
        unknown = named["unk_token"]?.text ?? unknown
        pad = named["pad_token"]?.text ?? pad
        addNamedTokens(named)
        contextLength = try Self.contextLength(configuration)
    }

    /// Adds the special tokens that no list has; where two have the same text, the later one counts.
    private mutating func addNamedTokens(_ named: [String: Token]) {
        let listed = addedTokens.count
        for (name, text) in zip(Self.names, [bos, eos, unknown, pad]) {
            let token = Token(text: text, isNormalized: named[name]?.isNormalized ?? false)
            if let index = addedTokens.firstIndex(where: { ExactName($0.text) == ExactName(text) }) {
                if index >= listed { addedTokens[index] = token }
            } else {
                addedTokens.append(token)
            }
        }
    }

    private mutating func addToken(_ value: JSONValue, id: Int?) throws(TokenizerError) {
        guard var token = try Self.token(value, "added token") else {
            throw .missing("text of an added token")
        }
        token.id = id
        try add(token)
    }

    private mutating func add(_ token: Token) throws(TokenizerError) {
        guard addedTokens.count < Self.addedTokenLimit else {
            throw .tooLarge(
                what: "the list of added tokens", limit: Self.addedTokenLimit, found: addedTokens.count + 1)
        }
        addedTokens.append(token)
    }

    /// A token that is written as its text or as an object with `content`.
    private static func token(_ value: JSONValue?, _ name: String) throws(TokenizerError) -> Token? {
        guard let value, !value.isNull else { return nil }
        if let text = value.string { return Token(text: text, isNormalized: false) }
        guard let text = value["content"]?.string else {
            throw .unsupported(what: "\(name) (expected a text)", found: value.described)
        }
        for flag in ["lstrip", "rstrip", "single_word"] where value[flag]?.bool == true {
            throw .unsupported(what: "setting of the token \(quoted(text))", found: flag)
        }
        return Token(text: text, isNormalized: value["normalized"]?.bool ?? (value["special"]?.bool != true))
    }

    /// `model_max_length`; a number beyond all models stands for none.
    private static func contextLength(_ configuration: JSONObject?) throws(TokenizerError) -> Int {
        guard let value = configuration?["model_max_length"], !value.isNull else {
            return CLIPVocabulary.defaultContextLength
        }
        guard let number = value.double, number >= 3 else {
            throw .unsupported(what: "model_max_length (expected at least 3)", found: value.described)
        }
        return number < 65536 ? Int(number) : CLIPVocabulary.defaultContextLength
    }

    private static func object(_ bytes: [UInt8]?, _ name: String) throws(TokenizerError) -> JSONObject? {
        guard let bytes else { return nil }
        let value = try JSONValue(vocabularyFile: bytes, name: name)
        guard let object = value.object else {
            throw .malformed(format: name, offset: 0, reason: "expected an object, found \(value.described)")
        }
        return object
    }
}
