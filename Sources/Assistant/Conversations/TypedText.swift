/// Text while it is typed.
enum TypedText {
    /// The part that further typing will hardly change: up to the last whole word, without the blanks after it.
    ///
    /// Scripts that write no blanks between words are taken letter by letter, but for the last two.
    static func stablePart(of text: String) -> String {
        let scalars = text.unicodeScalars
        var end = scalars.endIndex
        var held = 0
        while end > scalars.startIndex {
            let last = scalars.index(before: end)
            if scalars[last].properties.isWhitespace { break }
            if isUnspaced(scalars[last]) {
                held += 1
                if held > 2 { break }
            }
            end = last
        }
        while end > scalars.startIndex {
            let last = scalars.index(before: end)
            guard scalars[last].properties.isWhitespace else { break }
            end = last
        }
        return String(scalars[..<end])
    }

    /// Thai to Khmer, kana, Han and their neighbours.
    private static func isUnspaced(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF, 0x3040...0x30FF, 0x31F0...0x31FF,
            0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0xFF66...0xFF9F, 0x20000...0x3FFFF:
            true
        default: false
        }
    }
}
