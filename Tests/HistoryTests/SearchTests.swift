import AssistantAPI
import Foundation
import Testing

@testable import History

@Suite struct SearchTests {
    private func marked(_ text: String) -> String { "\u{2068}\(text)\u{2069}" }

    @Test func wordsAreFoundInTitlesAndMessagesTitlesFirst() async throws {
        let history = try HistoryStore.open(path: nil)
        let (first, messages) = try await history.converse("Cooking", "How do I boil an octopus?", "Slowly.")
        let (second, _) = try await history.converse("Octopus facts", "How many hearts?", "Three.")
        let matches = try await history.search("octopus", limit: 10)
        #expect(matches.map(\.conversation.id) == [second.id, first.id])
        #expect(matches.map(\.message) == [nil, messages[0].id])
        #expect(matches[0].snippet == "\(marked("Octopus")) facts")
        #expect(matches[1].snippet == "How do I boil an \(marked("octopus"))?")
        #expect(matches[1].conversation == (try await history.conversation(first.id)))
        #expect(try await history.search("octopus", limit: 1).count == 1)
    }

    @Test func caseAndDiacriticsDoNotMatterAndTheLastWordMayBeUnfinished() async throws {
        let history = try HistoryStore.open(path: nil)
        let (_, messages) = try await history.converse("t", "Où est la Crème brûlée?")
        for query in ["creme BRULEE", "CRÈME", "bru", "brulee creme", "cre\u{300}me"] {
            #expect(try await history.search(query, limit: 5).map(\.message) == [messages[0].id], "\(query)")
        }
        for query in ["bru creme", "bru ", "creme fraiche", "rulee"] {
            #expect(try await history.search(query, limit: 5).isEmpty, "\(query)")
        }
    }

    @Test func whatFollowsAChangeIsFoundAndWhatWentBeforeIsNot() async throws {
        let history = try HistoryStore.open(path: nil)
        let (conversation, messages) = try await history.converse("walrus", "q")
        let answer = try await history.append(
            Message(
                id: HistoryStore.makeID(), conversation: conversation.id, parent: messages[0].id,
                role: .assistant, content: "narwhal", createdAt: Date()))
        _ = try await history.change(conversation.id, .init(title: "seal"))
        _ = try await history.finish(
            answer.id, content: "beluga", finish: .stop, error: nil, model: nil, usage: nil)
        #expect(try await history.search("walrus", limit: 5).isEmpty)
        #expect(try await history.search("narwhal", limit: 5).isEmpty)
        #expect(try await history.search("seal", limit: 5).count == 1)
        #expect(try await history.search("beluga", limit: 5).map(\.message) == [answer.id])
    }

    @Test func nothingInAQueryIsSyntax() async throws {
        let history = try HistoryStore.open(path: nil)
        let (_, messages) = try await history.converse(
            "t", "to be OR not to be, NEAR title: \"quoted\" (x) * 50% C++")
        for query in [
            "OR", "NOT be", "NEAR(", "title:", "\"quoted", "\"", "(x)", "^to", "be*", "50%", "C++", "-be",
            "be + not",
            "{title} : x",
        ] {
            #expect(try await history.search(query, limit: 5).map(\.message) == [messages[0].id], "\(query)")
        }
        #expect(try await history.search("   ", limit: 5).isEmpty)
        #expect(try await history.search("", limit: 5).isEmpty)
        _ = try await history.search(String(repeating: "x ", count: 100_000), limit: 5)
        _ = try await history.search(String(repeating: "\"", count: 100_000), limit: 5)
    }

    @Test func scriptsWithoutBlanksAndSymbolsAreFoundToo() async throws {
        let history = try HistoryStore.open(path: nil)
        let (_, messages) = try await history.converse("t", "昨日は東京タワーに行きました。", "楽しい旅でしたね 🎉 50_%", "สวัสดีครับ")
        #expect(try await history.search("東京", limit: 5).map(\.message) == [messages[0].id])
        #expect(try await history.search("東京", limit: 5)[0].snippet.contains(marked("東京")))
        #expect(try await history.search("🎉", limit: 5).map(\.message) == [messages[1].id])
        #expect(try await history.search("_%", limit: 5).map(\.message) == [messages[1].id])
        #expect(try await history.search("旅 🎉", limit: 5).map(\.message) == [messages[1].id])
        #expect(try await history.search("ครับ", limit: 5).map(\.message) == [messages[2].id])
        #expect(try await history.search("京都", limit: 5).isEmpty)
    }

    @Test func textsWithNulAndIsolatesAreFoundWithCleanMarks() async throws {
        let history = try HistoryStore.open(path: nil)
        let (_, messages) = try await history.converse("t", "zero\0one \u{2068}two\u{2069} three")
        for (query, word) in [("one", "one"), ("two", "two"), ("thr", "three")] {
            let match = try #require(await history.search(query, limit: 5).first)
            #expect(match.message == messages[0].id)
            #expect(match.snippet.contains(marked(word)))
            #expect(match.snippet.unicodeScalars.filter { $0 == "\u{2068}" }.count == 1)
            #expect(match.snippet.contains("three") || query == "thr")
        }
    }

    @Test func deletedConversationsAreNotFoundUntilRestored() async throws {
        let history = try HistoryStore.open(path: nil)
        let (conversation, _) = try await history.converse("osprey", "osprey", "鶚")
        _ = try await history.delete(conversation.id, now: false)
        #expect(try await history.search("osprey", limit: 5).isEmpty)
        #expect(try await history.search("鶚", limit: 5).isEmpty)
        _ = try await history.restore(conversation.id)
        #expect(try await history.search("osprey", limit: 5).count == 2)
    }

    @Test func aLongTextGivesAShortSnippetAroundTheMatch() async throws {
        let history = try HistoryStore.open(path: nil)
        let filler = Array(repeating: "lorem", count: 5000).joined(separator: " ")
        _ = try await history.converse("t", "\(filler) needle \(filler)", "\(filler) 針 \(filler)")
        for query in ["needle", "針"] {
            let snippet = try #require(await history.search(query, limit: 5).first).snippet
            #expect(snippet.contains(marked(query)))
            #expect(snippet.count < 400)
            #expect(snippet.hasPrefix("…") && snippet.hasSuffix("…"))
        }
    }
}
