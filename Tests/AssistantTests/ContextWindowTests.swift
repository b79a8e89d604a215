import AssistantAPI
import Testing

@testable import Assistant

struct ContextWindowTests {
    /// One token for each letter, and one for each message.
    private func encode(_ messages: [ChatMessage]) -> [Int32] {
        messages.flatMap { [-1] + $0.content.utf8.map(Int32.init) }
    }

    private func talk(turns: Int, length: Int, system: String? = nil) -> [ChatMessage] {
        let text = String(repeating: "a", count: length - 1)
        var messages = system.map { [ChatMessage(role: .system, content: $0)] } ?? []
        for _ in 0..<turns {
            messages.append(ChatMessage(role: .user, content: text))
            messages.append(ChatMessage(role: .assistant, content: text))
        }
        messages.append(ChatMessage(role: .user, content: text))
        return messages
    }

    @Test func whatFitsStaysWhole() throws {
        let window = ContextWindow(length: 100, maxTokens: 10)
        let fitted = try window.fit(talk(turns: 4, length: 10), encode: encode)
        #expect(fitted.omitted == 0)
        #expect(fitted.tokens.count == 90)
    }

    @Test func theOldestTurnsGoInPairsAndTheSystemPromptStays() throws {
        let window = ContextWindow(length: 100, maxTokens: 10)
        let messages = talk(turns: 5, length: 10, system: "be brief")
        let fitted = try window.fit(messages, encode: encode)
        // 119 tokens are 29 too many, which is two blocks of 22, which is three turns.
        #expect(fitted.omitted == 6)
        #expect(fitted.tokens == encode([messages[0]] + messages[7...]))
    }

    @Test func severalTurnsBeginWithTheSameTokens() throws {
        let window = ContextWindow(length: 400, maxTokens: 40)
        let cuts = try (18...21).map { try window.fit(talk(turns: $0, length: 10), encode: encode).omitted }
        #expect(Set(cuts).count == 1)
        #expect(cuts[0] > 0)
    }

    @Test func theShortestPromptIsTakenWhenABlockIsTooMuch() throws {
        let window = ContextWindow(length: 100, maxTokens: 10)
        var messages = talk(turns: 1, length: 10)
        messages[2].content = String(repeating: "b", count: 79)
        let fitted = try window.fit(messages, encode: encode)
        #expect(fitted.omitted == 2)
        #expect(fitted.tokens.count == 80)
    }

    @Test func aSingleMessageThatIsTooLongIsRefusedWithFigures() {
        let window = ContextWindow(length: 100, maxTokens: 10)
        let message = ChatMessage(role: .user, content: String(repeating: "a", count: 200))
        let error = #expect(throws: AssistantError.self) { try window.fit([message], encode: encode) }
        #expect(error?.code == .contextLengthExceeded)
        #expect(error?.message.contains("201 tokens") == true)
        #expect(error?.message.contains("100") == true)
    }

    @Test func aLastMessageThatIsTooLongIsRefusedWhateverIsLeftOut() {
        let window = ContextWindow(length: 100, maxTokens: 10)
        var messages = talk(turns: 3, length: 5)
        messages[6].content = String(repeating: "b", count: 94)
        let error = #expect(throws: AssistantError.self) { try window.fit(messages, encode: encode) }
        #expect(error?.message.contains("95 tokens") == true)
        #expect(error?.message.contains("room for 90") == true)
    }

    @Test func theReserveIsAtMostAQuarter() {
        #expect(ContextWindow(length: 2048, maxTokens: 5000).room == 1536)
        #expect(ContextWindow(length: 2048, maxTokens: 0).room == 2048)
        #expect(ContextWindow(length: 131_072, maxTokens: nil).room == 130_048)
    }
}
