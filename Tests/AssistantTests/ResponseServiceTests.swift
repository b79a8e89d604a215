import AssistantAPI
import FoundationEssentials
import History
import Logging
import Testing

@testable import Assistant

/// Chains of responses, and a history that cannot be written.
struct ResponseServiceTests {
    private static func withService(
        _ body: (ResponseService, HistoryStore) async throws -> Void
    ) async throws {
        let tiny = try TinyAssistant()
        let history = try HistoryStore.open(path: nil)
        let service = ResponseService(
            history: history, core: tiny.assistant.core, pictures: tiny.assistant.pictures,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        try await body(service, history)
        try await history.close()
        await tiny.assistant.shutDown(within: .seconds(10))
    }

    private static func response(_ number: Int, after previous: Int? = nil) -> StoredResponse {
        StoredResponse(
            id: "resp_\(number)", previous: previous.map { "resp_\($0)" },
            createdAt: Date(timeIntervalSince1970: 0), input: "[]", body: "{}")
    }

    private static func error(_ work: () async throws -> Void) async -> AssistantError? {
        do {
            try await work()
            return nil
        } catch {
            return error as? AssistantError
        }
    }

    @Test func aChainIsToldOldestFirst() async throws {
        try await Self.withService { service, _ in
            #expect(await service.keep(Self.response(0)) == nil)
            #expect(await service.keep(Self.response(1, after: 0)) == nil)
            let chain = try await service.chain(endingAt: "resp_1")
            #expect(chain.map(\.id) == ["resp_0", "resp_1"])
        }
    }

    @Test func aChainThatIsBrokenSaysWhere() async throws {
        try await Self.withService { service, _ in
            for number in 0..<3 {
                _ = await service.keep(Self.response(number, after: number == 0 ? nil : number - 1))
            }
            try await service.delete("resp_0")
            let broken = await Self.error { _ = try await service.chain(endingAt: "resp_2") }
            #expect(broken?.code == .notFound)
            #expect(broken?.message.contains("resp_0") == true)
            let unknown = await Self.error { _ = try await service.chain(endingAt: "resp_9") }
            #expect(unknown?.code == .notFound)
            let again = await Self.error { try await service.delete("resp_0") }
            #expect(again?.code == .notFound)
        }
    }

    @Test func aChainHasItsBound() async throws {
        try await Self.withService { service, _ in
            let limit = ResponseService.longestChain
            for number in 0...limit {
                _ = await service.keep(Self.response(number, after: number == 0 ? nil : number - 1))
            }
            let chain = try await service.chain(endingAt: "resp_\(limit - 1)")
            #expect(chain.count == limit)
            let long = await Self.error { _ = try await service.chain(endingAt: "resp_\(limit)") }
            #expect(long?.code == .invalidRequest)
        }
    }

    @Test func aHistoryThatTakesNothingIsANotice() async throws {
        try await Self.withService { service, history in
            try await history.close()
            let notice = await service.keep(Self.response(0))
            #expect(notice?.code == "not_saved")
            let unreadable = await Self.error { _ = try await service.response("resp_0") }
            #expect(unreadable?.code == .historyUnavailable)
        }
    }
}
