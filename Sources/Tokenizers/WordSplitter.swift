/// Cuts bytes into the words of a ``PreTokenizer``, in one pass and without a regular expression.
///
/// Each run of white space is looked at twice at most, so the work is linear. Bytes that are no UTF-8 count as
/// characters of class `other`, one each.
struct WordSplitter {
    private let text: UnsafeBufferPointer<UInt8>
    private let rule: PreTokenizer
    private var position: Int
    private let textEnd: Int
    // SmolLM's rule cuts at numbers first: white space before one counts as the end of the text.
    private var end: Int

    private struct Character {
        let kind: CharacterClass
        let length: Int
    }

    init(_ text: UnsafeBufferPointer<UInt8>, range: Range<Int>, rule: PreTokenizer) {
        self.text = text
        self.rule = rule
        position = range.lowerBound
        textEnd = range.upperBound
        end = rule == .smollm ? range.lowerBound : range.upperBound
    }

    /// The next word, or nil at the end; words are never empty and cover the text without a gap.
    mutating func next() -> Range<Int>? {
        guard position < textEnd else { return nil }
        let start = position
        switch rule {
        case .llama3: position = llama3Word(start)
        case .gpt2: position = gpt2Word(start)
        case .smollm: position = smollmWord(start)
        }
        return start..<position
    }

    private mutating func smollmWord(_ start: Int) -> Int {
        if start >= end {
            end = textEnd
            let first = character(start)
            if first.kind == .number {
                end = start + first.length
                return end
            }
            end = self.run(from: start) { $0 != .number }
        }
        return gpt2Word(start)
    }

    private func gpt2Word(_ start: Int) -> Int {
        let byte = text[start]
        if byte == UInt8(ascii: "'"), let length = Self.contraction(text, at: start, end: end) {
            return start + length
        }
        var body = start
        var kind = character(start).kind
        if byte == UInt8(ascii: " "), start + 1 < end {
            let following = character(start + 1).kind
            if following != .whitespace {
                body = start + 1
                kind = following
            }
        }
        if kind != .whitespace { return run(from: body) { $0 == kind } }
        return blanks(start, runEnd: run(from: start) { $0 == .whitespace })
    }

    private func llama3Word(_ start: Int) -> Int {
        let byte = text[start]
        if byte == UInt8(ascii: "'"),
            let length = Self.contraction(text, at: start, end: end, ignoringCase: true)
        {
            return start + length
        }
        let first = character(start)
        let second = start + first.length
        switch first.kind {
        case .letter:
            return run(from: second) { $0 == .letter }
        case .number:
            return upToThreeNumbers(start)
        case .other, .whitespace:
            if !isNewline(byte), second < end, character(second).kind == .letter {
                return run(from: second) { $0 == .letter }
            }
        }
        if first.kind == .other { return newlines(run(from: second) { $0 == .other }) }
        if byte == UInt8(ascii: " "), second < end, character(second).kind == .other {
            return newlines(run(from: second) { $0 == .other })
        }
        let runEnd = run(from: start) { $0 == .whitespace }
        var newlineEnd = runEnd
        while newlineEnd > start, !isNewline(text[newlineEnd - 1]) { newlineEnd -= 1 }
        return newlineEnd > start ? newlineEnd : blanks(start, runEnd: runEnd)
    }

    /// `\s+(?!\S)|\s+`: a run of white space leaves its last character to the word that follows.
    private func blanks(_ start: Int, runEnd: Int) -> Int {
        guard runEnd < end else { return runEnd }
        var last = runEnd - 1
        while last > start, text[last] & 0xC0 == 0x80 { last -= 1 }
        return last > start ? last : runEnd
    }

    private func upToThreeNumbers(_ start: Int) -> Int {
        var index = start
        for _ in 0..<3 where index < end {
            let next = character(index)
            guard next.kind == .number else { break }
            index += next.length
        }
        return index
    }

    private func newlines(_ start: Int) -> Int {
        var index = start
        while index < end, isNewline(text[index]) { index += 1 }
        return index
    }

    private func run(from start: Int, while belongs: (CharacterClass) -> Bool) -> Int {
        var index = start
        while index < end {
            let next = character(index)
            guard belongs(next.kind) else { break }
            index += next.length
        }
        return index
    }

    private func isNewline(_ byte: UInt8) -> Bool { byte == 10 || byte == 13 }

    private func character(_ index: Int) -> Character {
        let byte = text[index]
        if byte < 0x80 { return Character(kind: CharacterClass(ascii: byte), length: 1) }
        let (scalar, length) = UTF8Scan.scalar(text, at: index, end: end)
        return Character(kind: scalar.map { CharacterClass($0) } ?? .other, length: length)
    }

    /// The length of an English contraction at an apostrophe: 's 't 're 've 'm 'll 'd.
    static func contraction(
        _ text: UnsafeBufferPointer<UInt8>, at start: Int, end: Int, ignoringCase: Bool = false
    ) -> Int? {
        func letter(_ offset: Int) -> UInt8 {
            guard start + offset < end else { return 0 }
            let byte = text[start + offset]
            return ignoringCase && (65...90).contains(byte) ? byte | 0x20 : byte
        }
        switch (letter(1), letter(2)) {
        case (UInt8(ascii: "s"), _), (UInt8(ascii: "t"), _), (UInt8(ascii: "m"), _), (UInt8(ascii: "d"), _):
            return 2
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return 3
        case (0xC5, 0xBF) where ignoringCase:
            return 3  // U+017F, the long s, is an s to a case-insensitive pattern
        default:
            return nil
        }
    }
}
