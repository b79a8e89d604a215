/// Turns tokens into text as they come, and never gives out half a character.
///
/// Bytes that begin a character wait for its rest. Together, all that `append` and `finish` return is what
/// ``Tokenizer/decode(_:rendersSpecial:continuing:)`` gives, with invalid UTF-8 repaired as U+FFFD.
public struct TokenDecoder: Sendable {
    private let tokenizer: Tokenizer
    private var waiting: [UInt8] = []
    private var atStart: Bool

    /// A decoder at the start of a text, or of text that continues other tokens, so that a leading space is text.
    public init(_ tokenizer: Tokenizer, continuing: Bool = false) {
        self.tokenizer = tokenizer
        atStart = !continuing
    }

    /// The text that is complete now; control tokens add none.
    public mutating func append(_ token: Int32) -> String {
        waiting += tokenizer.bytes(of: token, atStart: &atStart, rendersSpecial: false)
        let complete = waiting.count - UTF8Scan.incompleteSuffix(waiting)
        defer { waiting.removeFirst(complete) }
        return String(decoding: waiting[..<complete], as: UTF8.self)
    }

    /// What is left: an unfinished character, as U+FFFD.
    public mutating func finish() -> String {
        defer { waiting.removeAll() }
        return String(decoding: waiting, as: UTF8.self)
    }
}
