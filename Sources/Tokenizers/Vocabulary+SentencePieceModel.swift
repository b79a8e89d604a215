extension Vocabulary {
    /// A vocabulary from SentencePiece's own tokenizer.model, as Llama 2 and TinyLlama have it.
    ///
    /// - Parameter bytes: the file's bytes.
    /// - Throws: ``TokenizerError``, also for models that are not byte-pair or that change text before they cut it.
    public init(sentencePieceModel bytes: [UInt8]) throws(TokenizerError) {
        guard bytes.count <= Limit.totalBytes else {
            throw .tooLarge(what: "tokenizer.model", limit: Limit.totalBytes, found: bytes.count)
        }
        var pieces: [String] = []
        var scores: [Float] = []
        var types: [TokenType] = []
        var options = Options()
        options.addsBOS = true
        options.addsSpacePrefix = true
        var fields: Set<Int> = []
        var message = ProtobufReader(bytes, 0..<bytes.count)
        while let (field, value) = try message.next() {
            guard case .bytes(let range) = value else { continue }
            fields.insert(field)
            switch field {
            case 1:
                guard pieces.count < Limit.tokenCount else {
                    throw .tooLarge(what: "the vocabulary", limit: Limit.tokenCount, found: pieces.count + 1)
                }
                let piece = try SentencePiece(bytes, range, id: pieces.count)
                pieces.append(piece.text)
                scores.append(piece.score)
                types.append(piece.type)
            case 2: try Self.read(trainer: ProtobufReader(bytes, range), into: &options)
            case 3: try Self.read(normalizer: ProtobufReader(bytes, range), into: &options)
            default: continue
            }
        }
        guard fields.isSuperset(of: [2, 3]) else { throw .missing("trainer and normalizer settings") }
        try self.init(pieces: pieces, types: types, scores: scores, options: options)
    }

    private static func read(
        trainer: ProtobufReader, into options: inout Options
    ) throws(TokenizerError) {
        var trainer = trainer
        var kind: UInt64 = 1
        while let (field, value) = try trainer.next() {
            guard case .varint(let number) = value else { continue }
            switch field {
            case 3: kind = number
            // -1 means that the model has no such token.
            case 41:
                options.bos = Int32(truncatingIfNeeded: number) < 0 ? nil : Int32(truncatingIfNeeded: number)
            case 42:
                options.eos = Int32(truncatingIfNeeded: number) < 0 ? nil : Int32(truncatingIfNeeded: number)
            default: continue
            }
        }
        guard kind == 2 else {
            throw .unsupported(what: "SentencePiece model (expected byte-pair, 2)", found: "\(kind)")
        }
    }

    private static func read(
        normalizer: ProtobufReader, into options: inout Options
    ) throws(TokenizerError) {
        var normalizer = normalizer
        var removesBlanks = true
        while let (field, value) = try normalizer.next() {
            switch (field, value) {
            case (2, .bytes(let map)) where !map.isEmpty:
                throw .unsupported(what: "SentencePiece normalizer", found: "a map of characters")
            case (3, .varint(let flag)): options.addsSpacePrefix = flag != 0
            case (4, .varint(let flag)): removesBlanks = flag != 0
            default: continue
            }
        }
        guard !removesBlanks else {
            throw .unsupported(what: "SentencePiece normalizer", found: "remove_extra_whitespaces")
        }
    }
}

/// One entry of the file's first field.
private struct SentencePiece {
    var text = ""
    var score: Float = 0
    var type = Vocabulary.TokenType.normal

    init(_ bytes: [UInt8], _ range: Range<Int>, id: Int) throws(TokenizerError) {
        var message = ProtobufReader(bytes, range)
        while let (field, value) = try message.next() {
            switch (field, value) {
            case (1, .bytes(let range)):
                let text = bytes[range].withUnsafeBufferPointer { String(validating: $0, as: UTF8.self) }
                guard let text else { throw .invalidToken(id: id, reason: "it is not UTF-8") }
                self.text = text
            case (2, .fixed32(let bits)):
                score = Float(bitPattern: bits)
            case (3, .varint(let number)):
                guard let type = Int32(exactly: number).flatMap(Vocabulary.TokenType.init(rawValue:)) else {
                    throw .invalidToken(id: id, reason: "its type is \(number)")
                }
                self.type = type
            default:
                continue
            }
        }
    }
}
