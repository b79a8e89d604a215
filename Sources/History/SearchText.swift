/// Texts and queries on their way into the search index.
enum SearchText {
    /// First strong isolate, before a matched word in a snippet.
    static let matchStart = "\u{2068}"
    /// Pop directional isolate, after it.
    static let matchEnd = "\u{2069}"
    /// How much text a snippet shows, in words.
    static let snippetWords = 24

    /// What the index takes instead of a text that it cannot carry; `nil` for nearly all texts.
    ///
    /// NUL would end a snippet, and isolates would pass for marks of a match. Each becomes a blank.
    static func replacement(for text: String) -> String? {
        guard text.unicodeScalars.contains(where: isUnsearchable) else { return nil }
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: text.unicodeScalars.lazy.map { isUnsearchable($0) ? " " : $0 })
        return String(scalars)
    }

    private static func isUnsearchable(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value == 0 || scalar.value == 0x2068 || scalar.value == 0x2069
    }
}

/// What a user typed into a search, in a form that the index understands.
///
/// Every word must occur, the last one at least as the beginning of a word. Nothing in a query is syntax.
enum SearchQuery: Equatable {
    case nothing
    /// An FTS5 expression.
    case words(String)
    /// Texts that must occur as they are: the index keeps no single symbols, and takes a run of a script that
    /// writes no blanks for one word.
    case substrings([String])

    init(_ text: String) {
        let terms = (SearchText.replacement(for: text) ?? text)
            .split(whereSeparator: \.isWhitespace).prefix(Self.termLimit)
            .map { String($0.prefix(Self.termLength)) }
        let needsScan = terms.contains { term in
            term.unicodeScalars.contains(where: Self.isUnspaced)
                || !term.unicodeScalars.contains(where: \.isIndexed)
        }
        if terms.isEmpty {
            self = .nothing
        } else if needsScan {
            self = .substrings(terms)
        } else {
            let quoted = terms.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }
            // A query that ends in a blank ends its last word too.
            let isOpen = text.last.map { !$0.isWhitespace } ?? false
            self = .words(quoted.joined(separator: " ") + (isOpen ? "*" : ""))
        }
    }

    /// Bounds on what one search may cost.
    private static let termLimit = 32
    private static let termLength = 256

    /// Scripts that write words without blanks between them: Thai to Khmer, kana, Han and their neighbours.
    private static func isUnspaced(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF, 0x3040...0x30FF, 0x31F0...0x31FF,
            0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0xFF66...0xFF9F, 0x20000...0x3FFFF:
            true
        default: false
        }
    }
}

extension Unicode.Scalar {
    /// Whether FTS5's unicode61 takes it as part of a word.
    fileprivate var isIndexed: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .decimalNumber, .letterNumber, .otherNumber, .privateUse:
            true
        default: false
        }
    }
}
