import Testing

@testable import Assistant

struct ConversationTitleTests {
    @Test func aShortQuestionIsItsOwnTitle() {
        #expect(ConversationTitle.make(from: "  What is\tink?  \n\nAnd paper?") == "What is ink?")
        #expect(ConversationTitle.make(from: "\n \n\nSecond line") == "Second line")
        #expect(ConversationTitle.make(from: " \n ") == "")
    }

    @Test func aLongOneIsCutBetweenWords() {
        let title = ConversationTitle.make(from: String(repeating: "word ", count: 30))
        #expect(title.count <= ConversationTitle.longest + 1)
        #expect(title.hasSuffix("word\u{2026}"))
        #expect(
            ConversationTitle.make(from: String(repeating: "x", count: 200)).count
                == ConversationTitle.longest)
    }

    @Test func controlCharactersAreLeftOut() {
        #expect(ConversationTitle.make(from: "a\u{1B}[31mb \u{202E}c\u{7}") == "a[31mb c")
    }
}
