import AssistantAPI
import Foundation
import GRDB
import Testing

@testable import History

@Suite struct DeletionTests {
    @Test func aDeletedConversationCanBeRestoredForAWhile() async throws {
        let clock = ManualClock()
        let history = try HistoryStore.open(path: nil, undoSeconds: 60, now: { clock.now })
        let (conversation, messages) = try await history.converse("t", "q", "a")
        let deleted = try await history.delete(conversation.id, now: false)
        #expect(deleted.erasedAt == clock.now.addingTimeInterval(60))
        #expect(try await history.conversations(before: nil, limit: 5).conversations.isEmpty)
        #expect(try await history.conversation(conversation.id) == deleted)
        let refused = HistoryError.conversationDeleted(conversation.id)
        await #expect(throws: refused) {
            try await history.say("x", in: conversation.id, after: messages[1].id)
        }
        await #expect(throws: refused) { try await history.change(conversation.id, .init(title: "x")) }
        clock.advance(by: 59)
        #expect(try await history.eraseExpired() == 0)
        // Deleting again does not prolong it.
        #expect(try await history.delete(conversation.id, now: false).erasedAt == deleted.erasedAt)
        let restored = try await history.restore(conversation.id)
        #expect(restored.erasedAt == nil)
        #expect(try await history.transcript(conversation.id)?.messages == messages)
        #expect(try await history.conversations(before: nil, limit: 5).conversations == [restored])
    }

    @Test func afterTheTimeToUndoItIsGone() async throws {
        let clock = ManualClock()
        let history = try HistoryStore.open(path: nil, undoSeconds: 60, now: { clock.now })
        let (gone, messages) = try await history.converse("gone", "q", "a")
        let (kept, _) = try await history.converse("kept", "q")
        _ = try await history.delete(gone.id, now: false)
        clock.advance(by: 60)
        // Even before the sweep.
        #expect(try await history.conversation(gone.id) == nil)
        #expect(try await history.transcript(gone.id) == nil)
        await #expect(throws: HistoryError.conversationNotFound(gone.id)) {
            try await history.restore(gone.id)
        }
        #expect(try await history.eraseExpired() == 1)
        #expect(try await history.message(messages[0].id) == nil)
        #expect(try await history.eraseExpired() == 0)
        #expect(try await history.conversation(kept.id)?.title == "kept")
    }

    @Test(arguments: [true, false])
    func erasedTextIsInNoFile(atOnce: Bool) async throws {
        let folder = try TemporaryFolder()
        let clock = ManualClock()
        let history = try HistoryStore.open(path: folder.database, undoSeconds: 60, now: { clock.now })
        // Enough around it that the index has several parts and the pages are shared.
        for index in 0..<20 {
            _ = try await history.converse("keep \(index)", "common words \(index)", "answer")
        }
        let secret = String(repeating: "common filler ", count: 2000) + "zebrafinch"
        let (conversation, _) = try await history.converse("Quokkatitle", secret, "Axolotlanswer")
        let answer = try await history.append(
            Message(
                id: HistoryStore.makeID(), conversation: conversation.id, role: .assistant, content: "",
                createdAt: Date()))
        try await history.save("Numbatdraft", of: answer.id)
        _ = try await history.finish(
            answer.id, content: "final", finish: .failed, error: "Tapirerror", model: "Okapimodel", usage: nil
        )
        _ = try await history.change(conversation.id, .init(title: "Kakaporenamed", system: "Dingosystem"))
        for index in 0..<20 { _ = try await history.converse("more \(index)", "common words \(index)") }

        let traces = [
            "Quokkatitle", "zebrafinch", "Axolotlanswer", "Numbatdraft", "Tapirerror", "Okapimodel",
            "Kakaporenamed",
            "Dingosystem",
        ].flatMap { [$0, $0.lowercased()] }
        // The index stores words without the beginning that they share with the one before.
        let tails = ["okkatitle", "brafinch", "olotlanswer", "mbatdraft", "kaporenamed"]
        func found() throws -> Set<String> {
            let files = try folder.databaseBytes()
            return Set(
                (traces + tails).filter { trace in
                    files.values.contains { $0.range(of: Data(trace.utf8)) != nil }
                })
        }
        #expect(try found().isSuperset(of: ["zebrafinch", "Axolotlanswer", "Dingosystem", "kaporenamed"]))
        if atOnce {
            _ = try await history.delete(conversation.id, now: true)
        } else {
            _ = try await history.delete(conversation.id, now: false)
            clock.advance(by: 61)
            #expect(try await history.eraseExpired() == 1)
        }
        #expect(try found() == [])
        #expect(try folder.databaseBytes()["history.db-wal"]?.isEmpty != false)
        #expect(try await history.search("common", limit: 100).count == 40)
        let problems = try await history.read { db in
            try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").count
                + (String.fetchOne(db, sql: "PRAGMA integrity_check") == "ok" ? 0 : 1)
        }
        #expect(problems == 0)
        // The index agrees with the texts.
        try await history.write { db in
            try db.execute(
                sql: "INSERT INTO content_search(content_search, rank) VALUES ('integrity-check', 1)")
            try db.execute(sql: "INSERT INTO title_search(title_search, rank) VALUES ('integrity-check', 1)")
        }
        try await history.close()
        #expect(try found() == [])
    }
}
