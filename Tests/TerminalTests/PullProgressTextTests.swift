import AssistantAPI
import Testing

@testable import Terminal

struct PullProgressTextTests {
    private static let planned = PullEvent.Planned(
        name: "m", repository: "a/b", revision: "c",
        files: [.init(path: "m.gguf", bytes: 1_000_000_000, digest: "sha256:0")])

    private func progress(_ completed: Int) -> PullEvent {
        .progress(.init(file: 0, fileCompleted: completed, completed: completed, total: 1_000_000_000))
    }

    @Test func aRowTellsBytesRateAndTimeAndNeverGoesBack() {
        var text = PullProgressText()
        #expect(text.row(at: .zero, columns: 80) == "asking the hub")
        text.receive(.planned(Self.planned), at: .seconds(1))
        text.receive(progress(100_000_000), at: .seconds(1))
        text.receive(progress(300_000_000), at: .seconds(3))
        let row = text.row(at: .seconds(3), columns: 80)
        #expect(row.hasSuffix("  300 MB of 1.0 GB  100 MB/s  7 s left"), "\(row)")
        #expect(row.hasPrefix("█") && DisplayWidth.of(row) < 80)
        text.receive(progress(200_000_000), at: .seconds(3))
        #expect(text.row(at: .seconds(3), columns: 80).contains("300 MB of"))
        #expect(DisplayWidth.of(text.row(at: .seconds(3), columns: 12)) < 12)
        // What the daemon says is not trusted to make sense.
        text.receive(progress(.max), at: .seconds(4))
        #expect(text.row(at: .seconds(4), columns: 80).contains("1.0 GB of 1.0 GB"))
        text.receive(.verifying(.init(file: 0, fileCompleted: 5, completed: -5, total: 0)), at: .seconds(5))
        #expect(text.row(at: .seconds(5), columns: 80).hasSuffix("comparing with the digests"))
    }

    @Test func withoutATerminalEachTenthIsALine() {
        var text = PullProgressText()
        #expect(text.line(at: .zero) == nil)
        text.receive(.planned(Self.planned), at: .zero)
        let lines = stride(from: 0, through: 1_000_000_000, by: 10_000_000).compactMap { count in
            text.receive(progress(count), at: .zero)
            return text.line(at: .zero)
        }
        #expect(lines.count == 11 && lines[3] == "30 %: 300 MB of 1.0 GB")
        var verified: [String] = []
        for count in stride(from: 0, through: 1_000_000_000, by: 50_000_000) {
            text.receive(
                .verifying(.init(file: 0, fileCompleted: count, completed: count, total: 1_000_000_000)),
                at: .zero)
            if let line = text.line(at: .zero) { verified.append(line) }
        }
        #expect(verified == ["comparing with the digests"])
    }
}
