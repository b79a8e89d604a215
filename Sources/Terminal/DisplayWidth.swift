/// How many columns of a terminal a text takes.
///
/// The rules are those of `wcwidth` with the additions that today's terminals make for emoji: a sequence joined
/// by U+200D, a flag and a keycap are one picture of two columns. Control characters count as 0: a text is
/// sanitised before it is measured.
public enum DisplayWidth {
    /// The width of a tab inside the line editor, which has no tab stops.
    public static let tab = 4

    /// The columns of one grapheme cluster.
    public static func of(_ character: Character) -> Int {
        if let ascii = character.asciiValue {
            return ascii == 0x09 ? tab : ascii < 0x20 || ascii == 0x7F ? 0 : 1
        }
        var width = 0
        var isJoined = false
        var previous: Unicode.Scalar?
        for scalar in character.unicodeScalars {
            defer { previous = scalar }
            if scalar == "\u{200D}" {
                isJoined = true
            } else if scalar == "\u{FE0F}" {
                if width == 1, previous?.properties.isEmoji == true { width = 2 }
            } else if isJoined {
                isJoined = false
            } else if isSecondHalf(scalar, after: previous) {
                continue
            } else {
                width += of(scalar)
            }
        }
        return width
    }

    /// The columns of a text without line breaks.
    public static func of(_ text: some StringProtocol) -> Int {
        text.reduce(0) { $0 + of($1) }
    }

    /// The columns of a single scalar: 0, 1 or 2.
    public static func of(_ scalar: Unicode.Scalar) -> Int {
        let value = scalar.value
        if value < 0x20 || (0x7F..<0xA0).contains(value) { return 0 }
        if value < 0x300 { return 1 }
        if contains(value, in: zeroWidth) { return 0 }
        return contains(value, in: doubleWidth) ? 2 : 1
    }

    /// The longest beginning of `text` that fits into `columns`, with an ellipsis where something was cut off.
    public static func truncate(_ text: String, to columns: Int) -> String {
        guard of(text) > columns else { return text }
        guard columns > 1 else { return columns == 1 ? "…" : "" }
        var kept = ""
        var width = 0
        for character in text {
            let next = of(character)
            if width + next > columns - 1 { break }
            kept.append(character)
            width += next
        }
        return kept + "…"
    }

    /// Whether a scalar adds nothing to the picture before it: a flag's second letter, or a skin tone.
    private static func isSecondHalf(_ scalar: Unicode.Scalar, after previous: Unicode.Scalar?) -> Bool {
        guard let previous else { return false }
        let regional: ClosedRange<UInt32> = 0x1F1E6...0x1F1FF
        if regional.contains(scalar.value) { return regional.contains(previous.value) }
        return (0x1F3FB...0x1F3FF).contains(scalar.value)
    }

    private static func contains(_ value: UInt32, in table: [(first: UInt32, last: UInt32)]) -> Bool {
        var low = 0
        var high = table.count
        while low < high {
            let middle = (low + high) / 2
            if table[middle].last < value {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low < table.count && table[low].first <= value
    }
}
