/// Turns a prompt into the tokens of a CLIP text encoder, as transformers' `CLIPTokenizer` does.
///
/// The text is brought into Unicode's composed form, white space becomes single spaces, letters lower case; words are
/// then merged byte pair by byte pair, the last piece of each marked as the word's end (Radford et al. 2021). Any text
/// has tokens; what goes beyond the encoder's length is cut, and told. A value: immutable and safe to share.
public struct CLIPTokenizer: Sendable {
    /// A prompt as a text encoder takes it.
    public struct Encoding: Sendable, Equatable {
        /// The first token, those of the text, the last token, then padding: `contextLength` of them.
        public let tokens: [Int32]
        /// How many of the tokens are not padding.
        public let length: Int
        /// The end of the text that had no room, as its tokens read; nil where the whole text is there.
        public let truncatedText: String?
    }

    /// How many tokens a prompt becomes, the first, the last and padding included.
    public let contextLength: Int
    /// The token that every prompt begins with.
    public var bos: Int32 { vocabulary.bos }
    /// The token that follows the text.
    public var eos: Int32 { vocabulary.eos }
    /// The token that fills up what is left.
    public var pad: Int32 { vocabulary.pad }
    /// How many tokens there are; ids are 0..<vocabularySize.
    public var vocabularySize: Int { vocabulary.spellings.count }

    private let vocabulary: CLIPVocabulary
    /// Tokens that are found in the text as it was written.
    private var verbatim = TokenScanner()
    /// Tokens that are found once the text is normalised.
    private var normalized = TokenScanner()

    /// A tokenizer of this vocabulary.
    public init(_ vocabulary: CLIPVocabulary) {
        self.vocabulary = vocabulary
        contextLength = vocabulary.contextLength
        for token in vocabulary.addedTokens {
            if token.isNormalized {
                normalized.insert(CLIPNormalizer.normalize(token.text).utf8, id: token.id)
            } else {
                verbatim.insert(token.text.utf8, id: token.id)
            }
        }
    }

    /// The tokens of a prompt.
    public func encode(_ text: String) -> Encoding {
        let all = tokens(of: text)
        let room = contextLength - 2
        var tokens = [bos] + all.prefix(room) + [eos]
        let length = tokens.count
        tokens += [Int32](repeating: pad, count: contextLength - length)
        let rest = all.dropFirst(room)
        return Encoding(tokens: tokens, length: length, truncatedText: rest.isEmpty ? nil : decode(rest))
    }

    /// All tokens of a text, without those that begin and end a prompt.
    public func tokens(of text: String) -> [Int32] {
        var merger = SymbolMerger()
        var tokens: [Int32] = []
        scan(text, verbatim) {
            tokens.append($0)
        } between: { part in
            scan(CLIPNormalizer.normalize(part), normalized) {
                tokens.append($0)
            } between: { part in
                encode(part, &merger, &tokens)
            }
        }
        return tokens
    }

    /// The text that tokens stand for: lower case, a space after each word.
    public func decode(_ tokens: some Sequence<Int32>) -> String {
        var bytes: [UInt8] = []
        for token in tokens { vocabulary.appendText(of: token, to: &bytes) }
        while bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Hands over the tokens that `scanner` finds in `text` and the parts between them, in order.
    private func scan(
        _ text: String, _ scanner: TokenScanner, found: (Int32) -> Void, between: (String) -> Void
    ) {
        guard !scanner.isEmpty else { return between(text) }
        var text = text
        text.withUTF8 { bytes in
            func part(_ range: Range<Int>) {
                guard !range.isEmpty else { return }
                between(String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self))
            }
            var start = 0
            var index = 0
            while index < bytes.count {
                guard let (id, length) = scanner.match(bytes, at: index) else {
                    index += 1
                    continue
                }
                part(start..<index)
                found(id)
                index += length
                start = index
            }
            part(start..<bytes.count)
        }
    }

    /// Appends the tokens of a text that holds no added token.
    private func encode(_ text: String, _ merger: inout SymbolMerger, _ tokens: inout [Int32]) {
        var text = text
        text.withUTF8 { bytes in
            var words = CLIPWordSplitter(bytes)
            while let word = words.next() {
                for index in word {
                    let isLast = index == word.upperBound - 1
                    let id = vocabulary.token(of: bytes[index], endingWord: isLast)
                    merger.append(id: id, start: index, end: index + 1)
                }
                merger.drain { left, right in
                    vocabulary.merges.find(left.id, right.id).map { value in
                        SymbolMerger.Candidate(
                            priority: UInt32(truncatingIfNeeded: value >> 32),
                            id: Int32(truncatingIfNeeded: value))
                    }
                } emit: {
                    tokens.append($0.id)
                }
            }
        }
    }
}
