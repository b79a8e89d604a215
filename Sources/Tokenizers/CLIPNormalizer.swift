@_spi(_Unicode) import Swift

/// What CLIP does to a text before it is cut into words.
enum CLIPNormalizer {
    /// The text in Unicode's composed form (NFC), each run of white space as one space, each letter in lower case by
    /// itself (a final sigma is like any other).
    static func normalize(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var endsInSpace = false
        func append(_ scalar: Unicode.Scalar) {
            let isSpace = CharacterClass(scalar) == .whitespace
            defer { endsInSpace = isSpace }
            if isSpace {
                if !endsInSpace { result.append(" ") }
            } else if scalar.isASCII {
                let isUpper = (65...90).contains(scalar.value)
                result.append(isUpper ? Unicode.Scalar(UInt8(scalar.value) + 32) : scalar)
            } else {
                result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
            }
        }
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            for scalar in text.unicodeScalars { append(scalar) }
        } else {
            for scalar in text._nfc { append(scalar) }
        }
        return String(result)
    }
}

/// Cuts a normalised text into CLIP's words; white space between them belongs to none.
///
/// The pattern is `<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+`. The two
/// names are then cut again by GPT-2's pattern, into brackets and letters.
struct CLIPWordSplitter {
    private let text: UnsafeBufferPointer<UInt8>
    private var position = 0
    /// Ends of the words that a name was cut into.
    private var pending: ArraySlice<Int> = []

    private static let names = ["<|startoftext|>", "<|endoftext|>"].map { Array($0.utf8) }

    init(_ text: UnsafeBufferPointer<UInt8>) { self.text = text }

    /// The next word, or nil at the end; words are never empty.
    mutating func next() -> Range<Int>? {
        if let end = pending.popFirst() { return take(to: end) }
        while position < text.count, character(position).kind == .whitespace {
            position += character(position).length
        }
        guard position < text.count else { return nil }
        if let name = Self.names.first(where: { text[position...].starts(with: $0) }) {
            pending = [position + name.count - 2, position + name.count]
            return take(to: position + 2)
        }
        if text[position] == UInt8(ascii: "'"),
            let length = WordSplitter.contraction(text, at: position, end: text.count)
        {
            return take(to: position + length)
        }
        let first = character(position)
        var end = position + first.length
        while first.kind != .number, end < text.count {
            let next = character(end)
            guard next.kind == first.kind else { break }
            end += next.length
        }
        return take(to: end)
    }

    private mutating func take(to end: Int) -> Range<Int> {
        defer { position = end }
        return position..<end
    }

    private func character(_ index: Int) -> (kind: CharacterClass, length: Int) {
        if text[index] < 0x80 { return (CharacterClass(ascii: text[index]), 1) }
        let (scalar, length) = UTF8Scan.scalar(text, at: index, end: text.count)
        return (scalar.map { CharacterClass($0) } ?? .other, length)
    }
}
