import AssistantAPI
import Foundation
import Testing

@testable import History

/// Writes the fixture of the present schema: `INKLING_MAKE_FIXTURES=<folder> swift test --filter MakeFixture`.
///
/// Run it once for each version of the schema, before that version is released.
@Suite struct MakeFixture {
    @Test(.enabled(if: ProcessInfo.processInfo.environment["INKLING_MAKE_FIXTURES"] != nil))
    func historyOfThisVersion() async throws {
        let folder = try #require(ProcessInfo.processInfo.environment["INKLING_MAKE_FIXTURES"])
        let path = "\(folder)/history-\(Schema.version).db"
        let clock = ManualClock()
        let history = try HistoryStore.open(path: path, now: { clock.now })
        let restored = try await history.create(.init(title: "Deleted and restored"))
        _ = try await history.delete(restored.id, now: false)
        _ = try await history.restore(restored.id)
        let talk = try await history.create(.init(title: "Octopus", system: "Be brief."))
        let question = try await history.say("How many hearts?", in: talk.id, after: nil)
        try await history.say("Two.", .assistant, in: talk.id, after: question.id)
        let answer = try await history.say("Three.\0", .assistant, in: talk.id, after: question.id)
        let next = try await history.say("And brains?", in: talk.id, after: answer.id)
        let last = try await history.append(
            Message(
                id: HistoryStore.makeID(at: clock.now), conversation: talk.id, parent: next.id,
                role: .assistant,
                content: "", createdAt: clock.now, model: "SmolLM2-135M-Instruct", picture: "01fox"))
        _ = try await history.finish(
            last.id, content: "Ni", finish: .cancelled, error: "it was stopped", model: nil,
            usage: Usage(promptTokens: 30, cachedTokens: 20, completionTokens: 1))
        _ = try await history.change(talk.id, .init(title: "Octopuses"))
        try await history.save(.ofTest("fox", id: "01fox", at: clock.now), file: Data("fox".utf8))
        try await history.save(.ofTest(id: "resp_2", after: "resp_1", at: clock.now))
        try await history.close()
        try FileManager.default.removeItem(atPath: path + PictureFiles.suffix)
        try FileManager.default.removeItem(atPath: path + ".lock")
    }
}
