/// Byte-level byte-pair encoding: words by a ``PreTokenizer``, then the lowest-ranked merge first.
struct BytePairEncoder: TokenEncoder {
    private let vocabulary: Vocabulary
    private let rule: PreTokenizer
    /// byte -> its token; -1 where the vocabulary has none.
    ///
    /// Small trained vocabularies lack bytes that their corpus never had; like the reference, we drop those.
    private let byteTokens: [Int32]

    init(_ vocabulary: Vocabulary, rule: PreTokenizer) {
        self.vocabulary = vocabulary
        self.rule = rule
        byteTokens = (0...255).map { vocabulary.token(ofByte: $0) ?? -1 }
    }

    func encode(_ range: Range<Int>, _ run: inout EncodingRun) {
        var words = WordSplitter(run.text, range: range, rule: rule)
        while let word = words.next() {
            if vocabulary.options.ignoresMerges, let token = token(run.text, word) {
                run.tokens.append(token)
            } else {
                merge(word, &run)
            }
        }
    }

    private func token(_ text: UnsafeBufferPointer<UInt8>, _ word: Range<Int>) -> Int32? {
        vocabulary.table.find(UnsafeBufferPointer(rebasing: text[word]), in: vocabulary.tokens)
    }

    private func merge(_ word: Range<Int>, _ run: inout EncodingRun) {
        for index in word {
            let id = byteTokens[Int(run.text[index])]
            if id >= 0 { run.merger.append(id: id, start: index, end: index + 1) }
        }
        run.merger.drain { left, right in
            vocabulary.merges.find(left.id, right.id).map { value in
                SymbolMerger.Candidate(
                    priority: UInt32(truncatingIfNeeded: value >> 32), id: Int32(truncatingIfNeeded: value))
            }
        } emit: {
            run.tokens.append($0.id)
        }
    }
}
