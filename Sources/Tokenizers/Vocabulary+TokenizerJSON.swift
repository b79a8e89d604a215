import StrictJSON

extension Vocabulary {
    /// A vocabulary from a Hugging Face tokenizer.json.
    ///
    /// Only pipelines that the code has are accepted; a regular expression is compared with the known ones and
    /// never executed.
    ///
    /// - Parameters:
    ///   - tokenizerJSON: the file's bytes, 64 MiB at most.
    ///   - config: those of tokenizer_config.json, which names the tokens that begin and end a text.
    /// - Throws: ``TokenizerError``.
    public init(tokenizerJSON: [UInt8], config: [UInt8]?) throws(TokenizerError) {
        let file = try TokenizerJSON(try JSONValue(vocabularyFile: tokenizerJSON, name: "tokenizer.json"))
        var settings: JSONValue?
        if let config { settings = try JSONValue(vocabularyFile: config, name: "tokenizer_config.json") }
        var options = Options()
        options.bos = try file.id(named: settings?["bos_token"])
        options.eos = try file.id(named: settings?["eos_token"])
        options.addsBOS = settings?["add_bos_token"]?.bool ?? file.postProcessorAdds(options.bos)
        options.ignoresMerges = file.model["ignore_merges"]?.bool ?? false
        if let rule = try file.preTokenizer() {
            try self.init(byteLevel: rule, file.texts, types: file.types, options: options)
            try addMerges(try file.byteLevelMerges())
        } else {
            options.addsSpacePrefix = try file.addsSpacePrefix()
            let (types, scores) = try file.sentencePieceTypesAndScores()
            try self.init(pieces: file.texts, types: types, scores: scores, options: options)
        }
    }
}

/// The parts of a tokenizer.json, checked for being a vocabulary that the code has.
private struct TokenizerJSON {
    let root: JSONValue
    let model: JSONValue
    /// The text of each token, by id.
    private(set) var texts: [String]
    private(set) var types: [Vocabulary.TokenType]
    private var ids: [ExactName: Int32]

    init(_ root: JSONValue) throws(TokenizerError) {
        guard let model = root["model"] else { throw .missing("model") }
        let kind = model["type"]?.string ?? (model["merges"] == nil ? "none" : "BPE")
        guard kind == "BPE" else { throw .unsupported(what: "tokenizer model (expected BPE)", found: kind) }
        guard let vocabulary = model["vocab"]?.object else { throw .missing("vocab") }
        self.root = root
        self.model = model
        let added = root["added_tokens"]?.array ?? []
        let count = vocabulary.count + added.count
        guard count <= Vocabulary.Limit.tokenCount else {
            throw .tooLarge(what: "the vocabulary", limit: Vocabulary.Limit.tokenCount, found: count)
        }
        var slots = [String?](repeating: nil, count: count)
        ids = Dictionary(minimumCapacity: count)
        for (text, id) in vocabulary.members {
            try Self.place(text, id.int, &slots, &ids)
        }
        var types = [Vocabulary.TokenType](repeating: .normal, count: count)
        for token in added {
            guard let text = token["content"]?.string else { throw .missing("content of an added token") }
            let id = try Self.place(text, token["id"]?.int, &slots, &ids)
            types[id] = token["special"]?.bool == true ? .control : .userDefined
        }
        if let unknown = model["unk_token"]?.string, let id = ids[ExactName(unknown)] {
            types[Int(id)] = .unknown
        }
        // Ids are 0..<n without a gap; added tokens that the model has already make n smaller than the sum.
        let used = ids.count
        guard slots[..<used].allSatisfy({ $0 != nil }) else {
            throw .countMismatch(
                what: "token ids 0..<\(used)", expected: used, found: slots[..<used].count { $0 != nil })
        }
        texts = slots[..<used].compactMap(\.self)
        self.types = Array(types[..<used])
    }

    @discardableResult
    private static func place(
        _ text: String, _ id: Int?, _ slots: inout [String?], _ ids: inout [ExactName: Int32]
    ) throws(TokenizerError) -> Int {
        guard let id else { throw .missing("id of token \"\(text.prefix(64))\"") }
        guard slots.indices.contains(id) else {
            throw .idOutOfRange(what: "the id of \"\(text.prefix(64))\"", id: id, vocabularySize: slots.count)
        }
        if let other = slots[id], ExactName(other) != ExactName(text) {
            throw .invalidToken(
                id: id, reason: "it is both \"\(other.prefix(64))\" and \"\(text.prefix(64))\"")
        }
        if let other = ids.updateValue(Int32(id), forKey: ExactName(text)), other != id {
            throw .duplicateToken(text: text, first: Int(other), second: id)
        }
        slots[id] = text
        return id
    }

    /// The id of a token that a setting names, as a string or as an object with `content`.
    func id(named setting: JSONValue?) throws(TokenizerError) -> Int32? {
        guard let name = setting?.string ?? setting?["content"]?.string else { return nil }
        guard let id = ids[ExactName(name)] else {
            throw .missing("token \"\(name.prefix(64))\" that its settings name")
        }
        return id
    }

    /// Whether the post-processor puts `bos` in front of a text.
    func postProcessorAdds(_ bos: Int32?) -> Bool {
        guard let bos, let processor = root["post_processor"] else { return false }
        let steps = processor["processors"]?.array ?? [processor]
        let template = steps.first { $0["type"]?.string == "TemplateProcessing" }
        guard let name = template?["single"]?.array?.first?["SpecialToken"]?["id"]?.string else {
            return false
        }
        return ids[ExactName(name)] == bos
    }

    /// The splitting rule, or nil for a SentencePiece vocabulary.
    func preTokenizer() throws(TokenizerError) -> PreTokenizer? {
        let step = root["pre_tokenizer"] ?? .null
        if model["byte_fallback"]?.bool == true, step == .null || step["type"]?.string == "Metaspace" {
            return nil
        }
        guard root["normalizer"] ?? .null == .null else {
            throw .unsupported(what: "normalizer", found: Self.name(root["normalizer"]))
        }
        switch step["type"]?.string {
        case "ByteLevel":
            try check(byteLevel: step, usesRegex: true)
            return .gpt2
        case "Sequence":
            guard let steps = step["pretokenizers"]?.array, steps.count == 2 else { break }
            return try preTokenizer(steps[0], steps[1])
        default:
            break
        }
        throw .unsupported(what: "pre-tokenizer", found: Self.name(step))
    }

    private func preTokenizer(_ first: JSONValue, _ second: JSONValue) throws(TokenizerError) -> PreTokenizer
    {
        guard second["type"]?.string == "ByteLevel" else {
            throw .unsupported(what: "pre-tokenizer", found: Self.name(second))
        }
        switch first["type"]?.string {
        case "Digits" where first["individual_digits"]?.bool == true:
            try check(byteLevel: second, usesRegex: true)
            return .smollm
        case "Split":
            let pattern = first["pattern"]?["Regex"]?.string ?? ""
            guard pattern == PreTokenizer.llama3Pattern else {
                throw .unsupported(what: "splitting pattern", found: String(pattern.prefix(200)))
            }
            guard first["behavior"]?.string == "Isolated", first["invert"]?.bool != true else {
                throw .unsupported(what: "splitting behaviour", found: first["behavior"]?.string ?? "none")
            }
            try check(byteLevel: second, usesRegex: false)
            return .llama3
        default:
            throw .unsupported(what: "pre-tokenizer", found: Self.name(first))
        }
    }

    private func check(byteLevel step: JSONValue, usesRegex: Bool) throws(TokenizerError) {
        guard step["add_prefix_space"]?.bool == false else {
            throw .unsupported(what: "setting of ByteLevel", found: "add_prefix_space")
        }
        guard step["use_regex"]?.bool ?? true == usesRegex else {
            throw .unsupported(what: "setting of ByteLevel", found: "use_regex \(!usesRegex)")
        }
    }

    /// The halves of merge i at 2i and 2i + 1; files write them as "left right" or as ["left", "right"].
    private func merges() throws(TokenizerError) -> [(left: Substring, right: Substring)] {
        guard let entries = model["merges"]?.array else { throw .missing("merges") }
        var merges: [(left: Substring, right: Substring)] = []
        merges.reserveCapacity(entries.count)
        for (index, entry) in entries.enumerated() {
            if let pair = entry.array, pair.count == 2, let left = pair[0].string, let right = pair[1].string
            {
                merges.append((left[...], right[...]))
            } else if let text = entry.string, let space = text.utf8.firstIndex(of: UInt8(ascii: " ")) {
                merges.append((text[..<space], text[text.utf8.index(after: space)...]))
            } else {
                throw .invalidMerge(index: index, text: entry.string ?? "not a pair")
            }
        }
        return merges
    }

    func byteLevelMerges() throws(TokenizerError) -> ByteStrings {
        var pairs = ByteStrings()
        for (index, merge) in try merges().enumerated() {
            guard ByteLevelAlphabet.append(merge.left, to: &pairs),
                ByteLevelAlphabet.append(merge.right, to: &pairs)
            else { throw .invalidMerge(index: index, text: "\(merge.left) \(merge.right)") }
        }
        return pairs
    }

    func addsSpacePrefix() throws(TokenizerError) -> Bool {
        if let step = root["pre_tokenizer"], step["type"]?.string == "Metaspace" {
            guard step["split"]?.bool != true else { throw .unsupported(what: "Metaspace", found: "split") }
            return step["prepend_scheme"]?.string.map { $0 != "never" } ?? step["add_prefix_space"]?.bool
                ?? true
        }
        let normalizer = root["normalizer"] ?? .null
        let steps = normalizer["normalizers"]?.array ?? [normalizer]
        let kinds = steps.map { $0["type"]?.string ?? "none" }
        guard kinds.allSatisfy({ $0 == "Prepend" || $0 == "Replace" }), kinds.last == "Replace" else {
            throw .unsupported(what: "normalizer", found: kinds.joined(separator: ", "))
        }
        return kinds.contains("Prepend")
    }

    /// Files that were converted from SentencePiece hold merges where it has scores: the earlier, the better.
    func sentencePieceTypesAndScores() throws(TokenizerError) -> ([Vocabulary.TokenType], [Float]) {
        var types = types
        for (id, text) in texts.enumerated() where types[id] == .normal {
            if Vocabulary.byte(ofPiece: text) != nil { types[id] = .byte }
        }
        var scores = [Float](repeating: -.infinity, count: texts.count)
        for (index, merge) in try merges().enumerated() {
            guard ids[ExactName(String(merge.left))] != nil, ids[ExactName(String(merge.right))] != nil,
                let id = ids[ExactName("\(merge.left)\(merge.right)")]
            else { throw .invalidMerge(index: index, text: "\(merge.left) \(merge.right)") }
            if scores[Int(id)] == -.infinity { scores[Int(id)] = -Float(index) }
        }
        return (types, scores)
    }

    private static func name(_ step: JSONValue?) -> String { step?["type"]?.string ?? "none" }
}
