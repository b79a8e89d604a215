import Testing

@testable import Server

struct PromptRouteTests {
    private static let path = "/inkling/v1/prompts/enriched"

    @Test func enrichedWordsStandBehindThePersonsOwn() async throws {
        try await RunningDaemon.run { daemon in
            let answer = try await daemon.json(Self.path, #"{"text":"a  red fox"}"#)
            guard case .string(let text) = answer["text"] else {
                Issue.record("no text in \(answer)")
                return
            }
            #expect(text.hasPrefix("a red fox"))
        }
    }
}
