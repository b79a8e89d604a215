import AssistantAPI
import FoundationEssentials
import Testing

@testable import Terminal

struct LoadedModelTextTests {
    private let now = Date(timeIntervalSince1970: 1_700_000_000)

    private func model(
        _ id: String, _ bytes: Int, state: ModelSummary.State = .loaded, isInUse: Bool = false,
        expiresIn seconds: Double? = nil
    ) -> LoadedModel {
        LoadedModel(
            id: id, path: "/" + id, kind: .chat, state: state, bytes: bytes, memory: [], isInUse: isInUse,
            expiresAt: seconds.map { now + $0 })
    }

    @Test func columnsAreAlignedAndTheTotalFollows() {
        let report = MemoryReport(
            budget: 19_000_000_000, used: 100_000_000,
            memory: [
                .init(kind: .scratch, bytes: 0), .init(kind: .prefixCaches, bytes: 2_000_000),
                .init(kind: .weights, bytes: 98_000_000),
            ],
            models: [model("a-long-name", 98_000_000), model("b\u{1B}[2J", 5, isInUse: true)])
        let lines = LoadedModelText.table(report, now: now).split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[0] == "NAME         KIND  SIZE   UNTIL")
        #expect(lines[1] == "a-long-name  chat  98 MB  for ever")
        #expect(lines[2].hasSuffix("5 B    in use") && !lines[2].contains("\u{1B}"))
        #expect(lines[3] == "100 MB of 19 GB: weights 98 MB, prefix caches 2.0 MB")
    }

    @Test func theEndIsToldAsItMatters() {
        func until(_ model: LoadedModel) -> String { LoadedModelText.until(model, now: now) }
        #expect(until(model("a", 1, state: .loading)) == "loading")
        #expect(until(model("a", 1, isInUse: true, expiresIn: 5)) == "in use")
        #expect(until(model("a", 1, expiresIn: 5)).hasSuffix(" (in 5 s)"))
        #expect(until(model("a", 1, expiresIn: 299)).hasSuffix(" (in 5 min)"))
        #expect(until(model("a", 1, expiresIn: 86_400)).hasSuffix(" (in 24 h)"))
        #expect(until(model("a", 1, expiresIn: -5)).hasSuffix(" (now)"))
    }

    @Test func nothingInMemoryIsStillATable() {
        let report = MemoryReport(budget: 1000, used: 0, memory: [], models: [])
        #expect(LoadedModelText.table(report, now: now) == "NAME  KIND  SIZE  UNTIL\n0 B of 1.0 kB\n")
    }
}
