import AssistantAPI
import Foundation
import Testing

@testable import History

@Suite struct ConversationTests {
    @Test func aConversationIsFoundAsItWasMade() async throws {
        let clock = ManualClock()
        let history = try HistoryStore.open(path: nil, now: { clock.now })
        let draft = ConversationDraft(title: "Ink", model: "/m.gguf", system: "Be brief.")
        let conversation = try await history.create(draft)
        #expect(conversation.title == "Ink")
        #expect(conversation.model == "/m.gguf")
        #expect(conversation.system == "Be brief.")
        #expect(conversation.createdAt == clock.now)
        #expect(conversation.head == nil)
        #expect(conversation.messageCount == 0)
        #expect(try await history.conversation(conversation.id) == conversation)
        #expect(
            try await history.transcript(conversation.id)
                == Transcript(conversation: conversation, messages: []))
    }

    @Test(arguments: ["", "nothing", "01k\0", "../etc/passwd", "é", String(repeating: "a", count: 1000)])
    func unknownIdsAreNotFound(id: String) async throws {
        let history = try HistoryStore.open(path: nil)
        #expect(try await history.conversation(id) == nil)
        #expect(try await history.transcript(id) == nil)
        #expect(try await history.message(id) == nil)
        let conversationMissing = HistoryError.conversationNotFound(id)
        await #expect(throws: conversationMissing) { try await history.change(id, .init(title: "x")) }
        await #expect(throws: conversationMissing) { try await history.delete(id, now: true) }
        await #expect(throws: conversationMissing) { try await history.restore(id) }
        await #expect(throws: conversationMissing) { try await history.say("x", in: id, after: nil) }
        let messageMissing = HistoryError.messageNotFound(id)
        await #expect(throws: messageMissing) { try await history.branch(endingAt: id) }
        await #expect(throws: messageMissing) {
            try await history.finish(id, content: "", finish: .stop, error: nil, model: nil, usage: nil)
        }
        let conversation = try await history.create(.init())
        await #expect(throws: messageMissing) {
            try await history.say("x", in: conversation.id, after: id)
        }
        await #expect(throws: messageMissing) { try await history.change(conversation.id, .init(head: id)) }
    }

    @Test func changesTouchOnlyWhatTheyName() async throws {
        let history = try HistoryStore.open(path: nil)
        let made = try await history.create(.init(title: "a", model: "m", system: "s"))
        var changed = try await history.change(made.id, .init(title: "b"))
        #expect([changed.title, changed.model, changed.system] == ["b", "m", "s"])
        changed = try await history.change(made.id, .init(model: "", system: "t"))
        #expect([changed.title, changed.model, changed.system] == ["b", nil, "t"])
        #expect(try await history.conversation(made.id) == changed)
    }

    @Test func theListIsPagedWithTheNewestActivityFirst() async throws {
        let history = try HistoryStore.open(path: nil)
        var ids: [String] = []
        for index in 0..<7 { ids.append(try await history.create(.init(title: "\(index)")).id) }
        try await history.say("hello", in: ids[0], after: nil)
        let first = try await history.conversations(before: nil, limit: 3)
        #expect(first.conversations.map(\.title) == ["0", "6", "5"])
        // What moves to the front between two pages neither comes twice nor hides another.
        try await history.say("hello", in: ids[5], after: nil)
        try await history.say("hello", in: ids[4], after: nil)
        let second = try await history.conversations(before: first.next, limit: 3)
        #expect(second.conversations.map(\.title) == ["3", "2", "1"])
        #expect(second.next == nil)
        let all = try await history.conversations(before: nil, limit: 7)
        #expect(all.conversations.map(\.title) == ["4", "5", "0", "6", "3", "2", "1"])
        #expect(all.next == nil)
        await #expect(throws: HistoryError.malformedCursor("x'--")) {
            try await history.conversations(before: "x'--", limit: 3)
        }
    }

    @Test func thePagesTogetherAreTheWholeList() async throws {
        let history = try HistoryStore.open(path: nil)
        for index in 0..<10 { _ = try await history.create(.init(title: "\(index)")) }
        for limit in 1...11 {
            var titles: [String] = []
            var next: String?
            repeat {
                let page = try await history.conversations(before: next, limit: limit)
                titles += page.conversations.map(\.title)
                next = page.next
            } while next != nil
            #expect(titles == (0..<10).reversed().map(String.init))
        }
    }

    @Test func aClockThatGoesBackChangesNoOrder() async throws {
        let clock = ManualClock()
        let history = try HistoryStore.open(path: nil, now: { clock.now })
        let (first, messages) = try await history.converse("first", "1", "2")
        clock.advance(by: -31_536_000)
        let second = try await history.create(.init(title: "second"))
        try await history.say("3", in: second.id, after: nil)
        #expect(
            try await history.conversations(before: nil, limit: 9).conversations.map(\.title) == [
                "second", "first",
            ])
        let third = try await history.append(
            Message(
                id: HistoryStore.makeID(at: clock.now), conversation: first.id, parent: messages[1].id,
                role: .user, content: "3", createdAt: clock.now))
        let transcript = try #require(await history.transcript(first.id))
        #expect(transcript.messages.map(\.content) == ["1", "2", "3"])
        #expect(transcript.conversation.head == third.id)
    }

    @Test func idsSortByTimeAndAreSafeInUrls() {
        var random = SeededGenerator(state: 1)
        var ids: [String] = []
        for step in 0..<50 {
            let date = Date(timeIntervalSince1970: 1_800_000_000 + Double(step) * 0.001)
            ids.append(Identifier.make(at: date, using: &random))
        }
        #expect(ids == ids.sorted())
        #expect(Set(ids.map(\.utf8.count)) == [26])
        #expect(
            ids.allSatisfy {
                $0.utf8.allSatisfy { Character(Unicode.Scalar($0)).isLetter || (48...57).contains($0) }
            })
        #expect(Set((0..<1000).map { _ in HistoryStore.makeID(at: .distantPast) }).count == 1000)
    }
}
