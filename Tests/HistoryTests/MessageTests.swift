import AssistantAPI
import Foundation
import Testing

@testable import History

@Suite struct MessageTests {
    @Test func aTranscriptShowsMessagesAsTheyWereAcknowledged() async throws {
        let history = try HistoryStore.open(path: nil)
        let (conversation, messages) = try await history.converse("t", "Hello", "Hi!", "How are you?")
        let transcript = try #require(await history.transcript(conversation.id))
        #expect(transcript.messages == messages)
        #expect(transcript.conversation.head == messages[2].id)
        #expect(transcript.conversation.messageCount == 3)
        #expect(messages[1].parent == messages[0].id)
        #expect(try await history.branch(endingAt: messages[1].id) == Array(messages[..<2]))
    }

    @Test func editsAndRegenerationsAreSiblingsAndHeadChoosesAmongThem() async throws {
        let history = try HistoryStore.open(path: nil)
        let (conversation, first) = try await history.converse("t", "q1", "a1", "q2", "a2")
        let again = try await history.say("a1'", .assistant, in: conversation.id, after: first[0].id)
        #expect(again.siblingCount == 2)
        #expect(again.siblingIndex == 1)
        var shown = try #require(await history.transcript(conversation.id))
        #expect(shown.messages.map(\.content) == ["q1", "a1'"])

        // Showing the old answer shows all that followed it.
        let changed = try await history.change(conversation.id, .init(head: first[1].id))
        #expect(changed.head == first[3].id)
        shown = try #require(await history.transcript(conversation.id))
        #expect(shown.messages.map(\.content) == ["q1", "a1", "q2", "a2"])
        #expect(shown.messages.map(\.siblingCount) == [1, 2, 1, 1])
        #expect(shown.messages[1].siblingIndex == 0)

        // A branch at the root counts only siblings of its own conversation and role.
        _ = try await history.converse("other", "q1")
        let edited = try await history.say("q1'", in: conversation.id, after: nil)
        #expect(edited.siblingCount == 2)
        #expect(edited.siblingIndex == 1)
        #expect(try await history.conversation(conversation.id)?.head == edited.id)
        let greeting = try await history.say("hi", .assistant, in: conversation.id, after: nil)
        #expect(greeting.siblingCount == 1)
        #expect(greeting.siblingIndex == 0)
        #expect(try await history.conversation(conversation.id)?.messageCount == 7)
    }

    @Test func severalMessagesAreSavedTogetherOrNotAtAll() async throws {
        let history = try HistoryStore.open(path: nil)
        let conversation = try await history.create(.init(title: "t"))
        func message(_ id: String, after parent: String?) -> Message {
            Message(
                id: id, conversation: conversation.id, parent: parent, role: .user, content: id,
                createdAt: Date())
        }
        await #expect(throws: HistoryError.messageNotFound("nobody")) {
            try await history.append([message("m1", after: nil), message("m2", after: "nobody")])
        }
        #expect(try await history.message("m1") == nil)
        let saved = try await history.append([message("m1", after: nil), message("m2", after: "m1")])
        #expect(try await history.transcript(conversation.id)?.messages == saved)
    }

    @Test func aMessageOutlivesThePictureThatItShows() async throws {
        let folder = try TemporaryFolder()
        let history = try HistoryStore.open(path: folder.database)
        try await history.save(.ofTest("fox", id: "01fox", at: Date()), file: Data("fox".utf8))
        let conversation = try await history.create(.init(title: "t"))
        let shown = try await history.append(
            Message(
                id: "m1", conversation: conversation.id, role: .assistant, content: "picture: a fox",
                createdAt: Date(), finish: .stop, picture: "01fox"))
        #expect(shown.picture == "01fox")
        _ = try await history.deletePicture("01fox")
        #expect(try await history.message("m1") == shown)
        try await history.close()
    }

    @Test func aMessageCannotFollowOneOfAnotherConversation() async throws {
        let history = try HistoryStore.open(path: nil)
        let (first, messages) = try await history.converse("a", "x")
        let (second, _) = try await history.converse("b", "y")
        let error = HistoryError.foreignParent(message: messages[0].id, conversation: second.id)
        await #expect(throws: error) { try await history.say("z", in: second.id, after: messages[0].id) }
        await #expect(throws: error) { try await history.change(second.id, .init(head: messages[0].id)) }
        await #expect(throws: HistoryError.messageExists(messages[0].id)) {
            try await history.append(messages[0])
        }
        var nameless = messages[0]
        nameless.id = ""
        let malformed = HistoryError.malformedID("")
        let unnamed = nameless
        await #expect(throws: malformed) { try await history.append(unnamed) }
        #expect(try await history.conversation(first.id)?.messageCount == 1)
    }

    @Test func anAnswerIsFinishedOnce() async throws {
        let history = try HistoryStore.open(path: nil)
        let (conversation, messages) = try await history.converse("t", "q")
        let draft = Message(
            id: HistoryStore.makeID(), conversation: conversation.id, parent: messages[0].id,
            role: .assistant,
            content: "", createdAt: Date(), model: "first")
        let open = try await history.append(draft)
        #expect(open.finish == nil)
        try await history.save("The an", of: open.id)
        #expect(try await history.message(open.id)?.content == "The an")
        let usage = Usage(promptTokens: 10, cachedTokens: 4, completionTokens: 3)
        let done = try await history.finish(
            open.id, content: "The answer", finish: .cancelled, error: "it was stopped", model: nil,
            usage: usage)
        #expect(done.content == "The answer")
        #expect(done.finish == .cancelled)
        #expect(done.error == "it was stopped")
        #expect(done.model == "first")
        #expect(done.usage == usage)
        #expect(try await history.transcript(conversation.id)?.messages.last == done)
        for id in [open.id, messages[0].id] {
            await #expect(throws: HistoryError.alreadyFinished(id)) {
                try await history.finish(id, content: "", finish: .stop, error: nil, model: nil, usage: nil)
            }
            await #expect(throws: HistoryError.alreadyFinished(id)) { try await history.save("", of: id) }
        }
    }

    @Test func aCancelledTaskStillSaves() async throws {
        let history = try HistoryStore.open(path: nil)
        let conversation = try await history.create(.init())
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await history.say("said", in: conversation.id, after: nil)
        }
        task.cancel()
        #expect(try await task.value.content == "said")
        #expect(try await history.transcript(conversation.id)?.messages.count == 1)
    }

    @Test func unfinishedAnswersAreMarkedAtStart() async throws {
        let folder = try TemporaryFolder()
        var history = try HistoryStore.open(path: folder.database)
        let (conversation, messages) = try await history.converse("t", "q", "a")
        let open = try await history.append(
            Message(
                id: HistoryStore.makeID(), conversation: conversation.id, parent: messages[1].id,
                role: .assistant, content: "half a", createdAt: Date()))
        try await history.close()
        history = try HistoryStore.open(path: folder.database)
        #expect(try await history.markInterrupted() == 1)
        #expect(try await history.markInterrupted() == 0)
        let found = try #require(await history.message(open.id))
        #expect(found.finish == .interrupted)
        #expect(found.content == "half a")
        #expect(try await history.message(messages[1].id)?.finish == .stop)
        #expect(try await history.message(messages[0].id)?.finish == nil)
        try await history.close()
    }

    /// Texts that have broken programs before, in the manner of the Big List of Naughty Strings.
    static let naughty = [
        "", " ", "\0", "a\0b\0", "\u{FEFF}bom", "\r\n\t\u{7F}\u{1B}[31m", "'; DROP TABLE message; --",
        "\"*%_\\",
        "\u{2068}isolated\u{2069}", "🏳️‍🌈👩‍👩‍👧‍👦🇺🇳", "e\u{301} vs é", "\u{1E9E}ßſ", "田中さんにあげて下さい", "الكل في المجمو عة",
        "Ṱ̺̺̕o͞ ̷i̲̬͇̪͙n̝̗͕v̟̜̘̦͟o̶̙̰̠kè͚̮̺̪̹̱̤", "\u{202E}backwards\u{202C}", "\u{FFFF}\u{10FFFF}\u{E000}", "NULL",
        "<script>alert(0)</script>", "${jndi:ldap://x}", "%s%n%x", "NaN", "1e309",
        "\u{0B}\u{0C}\u{85}\u{2028}",
        String(repeating: "long ", count: 20_000), String(repeating: "\u{301}", count: 1000),
    ]

    @Test func everyTextComesBackByteForByte() async throws {
        let folder = try TemporaryFolder()
        let history = try HistoryStore.open(path: folder.database)
        for text in Self.naughty {
            let bytes = Array(text.utf8)
            let conversation = try await history.create(.init(title: text, model: text, system: text))
            #expect(Array(conversation.title.utf8) == bytes)
            var message = Message(
                id: HistoryStore.makeID(), conversation: conversation.id, role: .assistant, content: text,
                createdAt: Date(), model: text)
            message = try await history.append(message)
            message = try await history.finish(
                message.id, content: text + "!", finish: .failed, error: text, model: nil, usage: nil)
            let transcript = try #require(await history.transcript(conversation.id))
            #expect(Array(transcript.messages[0].content.utf8) == bytes + [0x21])
            #expect(transcript.messages[0].error.map { Array($0.utf8) } == bytes)
            #expect(transcript.messages[0].model.map { Array($0.utf8) } == bytes)
            #expect(transcript.conversation.system.map { Array($0.utf8) } == bytes)
            let renamed = try await history.change(conversation.id, .init(title: text + "?"))
            #expect(Array(renamed.title.utf8) == bytes + [0x3F])
            // As a query too it is only text.
            _ = try await history.search(text, limit: 5)
        }
        try await history.close()
    }
}
