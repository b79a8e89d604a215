/// Takes out of a text what could command a terminal, chunk by chunk.
///
/// What stays is printable text, line feeds and tabs. Escape, the other C0 and C1 control characters, and the
/// characters that reorder or hide text (bidirectional embeddings, overrides and isolates) are left out one by
/// one, so that the result does not depend on where a chunk ends, and a sequence that is never ended hides nothing.
/// A carriage return becomes a line feed.
public struct TextSanitizer: Sendable {
    /// The chunk before ended in a carriage return, so a line feed at the start of this one belongs to it.
    private var endedInReturn = false

    public init() {}

    /// The next chunk without what could command a terminal.
    public mutating func sanitize(_ chunk: String) -> String {
        var kept = String.UnicodeScalarView()
        for scalar in chunk.unicodeScalars {
            let followsReturn = endedInReturn
            endedInReturn = scalar == "\r"
            switch scalar {
            case "\r", "\u{2028}", "\u{2029}": kept.append("\n")
            case "\n": if !followsReturn { kept.append("\n") }
            case "\t": kept.append("\t")
            default: if !Self.isHostile(scalar) { kept.append(scalar) }
            }
        }
        return String(kept)
    }

    /// A whole text, sanitised.
    public static func sanitize(_ text: String) -> String {
        var sanitizer = TextSanitizer()
        return sanitizer.sanitize(text)
    }

    /// A text made fit for one line: sanitised, with each run of white space as one space.
    public static func line(_ text: String) -> String {
        sanitize(text).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    static func isHostile(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0: true
        case 0x61C, 0x200E, 0x200F: true  // directional marks
        case 0x202A...0x202E, 0x2066...0x2069: true  // embeddings, overrides, isolates
        case 0xFFF9...0xFFFB: true  // interlinear annotation
        case 0xE0001: true  // language tag
        default: false
        }
    }
}
