import AssistantAPI
import Foundation
import GRDB
import Testing

@testable import History

@Suite struct ResponseTests {
    private func ids(_ responses: [StoredResponse]) -> [String] { responses.map(\.id) }

    @Test func aResponseIsThereAfterReopening() async throws {
        let folder = try TemporaryFolder()
        let history = try HistoryStore.open(path: folder.database)
        let response = StoredResponse.ofTest(id: "resp_2", after: "resp_1")
        try await history.save(response)
        try await history.close()
        let again = try HistoryStore.open(path: folder.database)
        #expect(try await again.response("resp_2") == response)
        #expect(try await again.response("resp_1") == nil)
        #expect(try await again.response("../../etc") == nil)
        try await again.close()
    }

    @Test func aChainIsToldFromItsNewestResponseOn() async throws {
        let history = try HistoryStore.open(path: nil)
        for number in 0..<5 {
            let previous = number == 0 ? nil : "resp_\(number - 1)"
            try await history.save(.ofTest(id: "resp_\(number)", after: previous))
        }
        try await history.save(.ofTest(id: "other", after: "resp_1"))
        let whole = try await history.responses(endingAt: "resp_4", limit: 9)
        #expect(ids(whole) == ["resp_4", "resp_3", "resp_2", "resp_1", "resp_0"])
        #expect(whole.last?.previous == nil)
        #expect(
            ids(try await history.responses(endingAt: "other", limit: 9)) == ["other", "resp_1", "resp_0"])
        let cut = try await history.responses(endingAt: "resp_4", limit: 2)
        #expect(ids(cut) == ["resp_4", "resp_3"])
        #expect(try await history.responses(endingAt: "none", limit: 9).isEmpty)
        try await history.close()
    }

    @Test func aChainEndsWhereAResponseWasDeleted() async throws {
        let history = try HistoryStore.open(path: nil)
        try await history.save(.ofTest(id: "resp_1"))
        try await history.save(.ofTest(id: "resp_2", after: "resp_1"))
        #expect(try await history.deleteResponse("resp_1"))
        #expect(try await !history.deleteResponse("resp_1"))
        #expect(try await history.response("resp_1") == nil)
        let rest = try await history.responses(endingAt: "resp_2", limit: 9)
        #expect(ids(rest) == ["resp_2"])
        #expect(rest.last?.previous == "resp_1")
        try await history.close()
    }

    @Test func aDeletedResponseLeavesNoTextInTheFiles() async throws {
        let folder = try TemporaryFolder()
        let history = try HistoryStore.open(path: folder.database)
        var response = StoredResponse.ofTest(id: "resp_1")
        response.body = "cuttlefish"
        try await history.save(response)
        #expect(try await history.deleteResponse("resp_1"))
        let needle = Data("cuttlefish".utf8)
        #expect(try folder.databaseBytes().values.allSatisfy { $0.range(of: needle) == nil })
        try await history.close()
    }

    @Test func responsesAreInNoConversation() async throws {
        let history = try HistoryStore.open(path: nil)
        try await history.save(.ofTest(id: "resp_1"))
        #expect(try await history.conversations(before: nil, limit: 9).conversations.isEmpty)
        #expect(try await history.search("ink", limit: 9).isEmpty)
        try await history.close()
    }

    @Test func anIDIsTakenOnce() async throws {
        let history = try HistoryStore.open(path: nil)
        try await history.save(.ofTest(id: "resp_1"))
        do {
            try await history.save(.ofTest(id: "resp_1"))
            Issue.record("saved twice")
        } catch {
            guard case .responseNotSaved = error else { throw error }
            #expect(!"\(error)".contains("completed"))
        }
        try await history.close()
    }
}
