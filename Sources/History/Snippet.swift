import Foundation

/// The text around a match, with the matched words marked.
///
/// FTS5's own `snippet()` takes time quadratic in the matches of a text and ends at a NUL; this reads the text
/// once, and no further than it shows.
struct Snippet {
    /// First strong isolate, before a matched word.
    static let start = "\u{2068}"
    /// Pop directional isolate, after it.
    static let end = "\u{2069}"

    /// Letters that are shown before the first match and after it.
    private static let before = 60, after = 160
    /// How far into a text a match is looked for.
    private static let searchLimit = 1 << 20

    /// Marks the words that the index matched.
    ///
    /// - Parameters:
    ///   - terms: of the query; the words of each count, in any case and without diacritics.
    ///   - lastIsPrefix: the last one may also be the beginning of a word.
    ///   - text: what was searched.
    /// - Returns: the snippet.
    static func marking(wordsOf terms: [String], lastIsPrefix: Bool, in text: String) -> String {
        let wanted = Set(terms.flatMap { words(in: $0).map { folded(text: $0.word) } })
        let prefix =
            lastIsPrefix ? terms.last.flatMap { words(in: $0).map { folded(text: $0.word) }.last } : nil
        var matches: [Range<String.Index>] = []
        for (range, word) in words(in: text) {
            if let first = matches.first, text[first.upperBound..<range.lowerBound].utf8.count > after {
                break
            }
            let word = folded(text: word)
            if wanted.contains(word) || prefix.map(word.hasPrefix) ?? false { matches.append(range) }
        }
        return show(matches, in: text)
    }

    /// Marks the first place where a text occurs as it is, but for the case of A to Z.
    static func marking(_ term: String, in text: String) -> String {
        func folded(_ text: String) -> [UInt8] {
            text.utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
        }
        guard let place = folded(text).firstRange(of: folded(term)) else { return show([], in: text) }
        let start = text.utf8.index(text.startIndex, offsetBy: place.lowerBound)
        return show([start..<text.utf8.index(start, offsetBy: place.count)], in: text)
    }

    /// Writes the text from a little before the first match on.
    private static func show(_ matches: [Range<String.Index>], in text: String) -> String {
        let scalars = text.unicodeScalars
        let first = matches.first ?? text.startIndex..<text.startIndex
        let from = scalars.index(first.lowerBound, offsetBy: -before, limitedBy: text.startIndex)
        let to = scalars.index(first.upperBound, offsetBy: after, limitedBy: text.endIndex)
        let end = to ?? text.endIndex
        var shown = from == nil || from == text.startIndex ? "" : "…"
        var position = from ?? text.startIndex
        for match in matches where match.upperBound <= end {
            shown += plain(text[position..<match.lowerBound])
            shown += Self.start + plain(text[match]) + Self.end
            position = match.upperBound
        }
        return shown + plain(text[position..<end]) + (end == text.endIndex ? "" : "…")
    }

    /// Text without what would pass for a mark.
    private static func plain(_ text: Substring) -> String {
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: text.unicodeScalars.lazy.map { isMark($0) ? " " : $0 })
        return String(scalars)
    }

    static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value == 0x2068 || scalar.value == 0x2069
    }

    /// The words of a text as the index splits it.
    private static func words(
        in text: String
    ) -> some Sequence<(range: Range<String.Index>, word: Substring)> {
        let scalars = text.unicodeScalars
        let limit =
            text.utf8.index(text.startIndex, offsetBy: searchLimit, limitedBy: text.endIndex) ?? text.endIndex
        return sequence(state: text.startIndex) { position in
            guard let start = scalars[position..<limit].firstIndex(where: \.isWordPart) else { return nil }
            let end = scalars[start..<limit].firstIndex { !$0.isWordPart && !$0.isCombining } ?? limit
            position = end
            return (start..<end, text[start..<end])
        }
    }

    private static func folded(text: Substring) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.lowercased() }
        return text.folding(options: [.caseInsensitive, .diacriticInsensitive], locale: nil)
    }
}
