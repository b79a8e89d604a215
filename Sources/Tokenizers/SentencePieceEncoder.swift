/// SentencePiece's byte-pair model: characters are merged, the pair that forms the best-scored token first; what
/// is no token in the end becomes byte tokens.
struct SentencePieceEncoder: TokenEncoder {
    private let vocabulary: Vocabulary
    /// byte -> its token; -1 where the vocabulary has none.
    private let byteTokens: [Int32]
    private let unknown: Int32?
    /// Whether no token has a space after something else, so that text can be cut there: no merge crosses the cut.
    private let spacesBeginWords: Bool

    /// - Throws: ``TokenizerError`` if there are neither bytes nor a token for unknown text.
    init(_ vocabulary: Vocabulary) throws(TokenizerError) {
        self.vocabulary = vocabulary
        var byteTokens = [Int32](repeating: -1, count: 256)
        for id in 0..<vocabulary.count where vocabulary.types[id] == .byte {
            guard let byte = vocabulary.tokens[id].first else { continue }
            byteTokens[Int(byte)] = Int32(id)
        }
        self.byteTokens = byteTokens
        unknown = vocabulary.types.firstIndex(of: .unknown).map { Int32($0) }
        spacesBeginWords = (0..<vocabulary.count).allSatisfy { id in
            switch vocabulary.types[id] {
            case .control, .unknown, .byte: true
            case .normal, .userDefined, .unused:
                !vocabulary.tokens[id].drop { $0 == Self.space }.contains(Self.space)
            }
        }
        guard unknown != nil || !byteTokens.contains(-1) else {
            throw .missing("byte tokens, and no token for unknown text either")
        }
    }

    func encode(_ range: Range<Int>, _ run: inout EncodingRun) {
        guard run.needsSpace else { return encode(run.text, range, &run) }
        run.needsSpace = false
        let prefixed = [Self.space] + run.text[range]
        prefixed.withUnsafeBufferPointer { encode($0, 0..<$0.count, &run) }
    }

    private static let space = UInt8(ascii: " ")

    private func encode(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ run: inout EncodingRun) {
        var start = range.lowerBound
        while spacesBeginWords, start < range.upperBound {
            var end = start
            while end < range.upperBound, text[end] == Self.space { end += 1 }
            while end < range.upperBound, text[end] != Self.space { end += 1 }
            merge(text, start..<end, &run)
            start = end
        }
        if start < range.upperBound { merge(text, start..<range.upperBound, &run) }
    }

    private func merge(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ run: inout EncodingRun) {
        var index = range.lowerBound
        while index < range.upperBound {
            let end = index + UTF8Scan.scalar(text, at: index, end: range.upperBound).length
            run.merger.append(id: token(text, index, end) ?? -1, start: index, end: end)
            index = end
        }
        var tokens: [Int32] = []
        swap(&tokens, &run.tokens)
        run.merger.drain { left, right in
            guard let id = token(text, Int(left.start), Int(right.end)) else { return nil }
            return Self.priority(ofScore: vocabulary.scores[Int(id)]).map {
                SymbolMerger.Candidate(priority: $0, id: id)
            }
        } emit: { symbol in
            if symbol.id >= 0 {
                tokens.append(symbol.id)
            } else {
                appendBytes(text[Int(symbol.start)..<Int(symbol.end)], to: &tokens)
            }
        }
        swap(&tokens, &run.tokens)
    }

    private func appendBytes(_ bytes: Slice<UnsafeBufferPointer<UInt8>>, to tokens: inout [Int32]) {
        guard bytes.allSatisfy({ byteTokens[Int($0)] >= 0 }) else {
            if let unknown { tokens.append(unknown) }
            return
        }
        for byte in bytes { tokens.append(byteTokens[Int(byte)]) }
    }

    private func token(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> Int32? {
        vocabulary.table.find(UnsafeBufferPointer(rebasing: text[start..<end]), in: vocabulary.tokens)
    }

    /// Higher scores come first, so they are lower here; nil for a token that no merge makes.
    private static func priority(ofScore score: Float) -> UInt32? {
        guard score > -.infinity else { return nil }
        let bits = (score + 0).bitPattern  // -0 is 0
        let ascending = bits >> 31 == 0 ? bits | 0x8000_0000 : ~bits
        return ~ascending
    }
}
