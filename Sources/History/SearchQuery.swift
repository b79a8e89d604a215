/// What a user typed into a search, in a form that the index understands.
///
/// Every word must occur, the last one at least as the beginning of a word. Nothing in a query is syntax.
enum SearchQuery: Equatable {
    case nothing
    /// An FTS5 expression, and the terms that it is made of.
    case words(expression: String, terms: [String])
    /// Texts that must occur as they are: the index keeps no single symbols, and takes a run of a script that
    /// writes no blanks for one word.
    case substrings([String])

    init(_ text: String) {
        let terms = Self.terms(of: text)
        let needsScan = terms.contains { term in
            term.unicodeScalars.contains(where: Self.isUnspaced)
                || !term.unicodeScalars.contains(where: \.isWordPart)
        }
        if terms.isEmpty {
            self = .nothing
        } else if needsScan {
            self = .substrings(terms)
        } else {
            let quoted = terms.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }.joined(separator: " ")
            // A query that ends in a blank ends its last word too.
            let isOpen = text.unicodeScalars.last.map { !Self.isBlank($0) } ?? false
            self = .words(expression: quoted + (isOpen ? "*" : ""), terms: terms)
        }
    }

    /// The words of a query, each once; bare punctuation counts only where there is nothing else.
    private static func terms(of text: String) -> [String] {
        var terms: [String] = []
        for term in text.unicodeScalars.split(whereSeparator: isBlank) {
            let term = String(String.UnicodeScalarView(term.prefix(termLength)))
            // Repetitions would cost time and change nothing.
            if let earlier = terms.firstIndex(of: term) { terms.remove(at: earlier) }
            terms.append(term)
            if terms.count == termLimit { break }
        }
        let telling = terms.filter { $0.unicodeScalars.contains { $0.isWordPart || $0.isPictogram } }
        return telling.isEmpty ? terms : telling
    }

    /// Bounds on what one search may cost.
    private static let termLimit = 32
    private static let termLength = 256

    /// NUL would end the expression; isolates come from snippets that were copied.
    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || scalar.value == 0 || Snippet.isMark(scalar)
    }

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
    var isWordPart: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .decimalNumber, .letterNumber, .otherNumber, .privateUse:
            true
        default: false
        }
    }

    var isPictogram: Bool { properties.generalCategory == .otherSymbol }

    var isCombining: Bool { properties.generalCategory == .nonspacingMark }
}
