import AssistantAPI
import FoundationEssentials
import Settings
import Synchronization
import Testing

@testable import Terminal

/// What a person sees of `inkling doctor`, and what is told without a daemon.
@Suite struct DoctorSessionTests {
    private final class Screen: Sendable {
        private let written = Mutex("")
        var text: String { written.withLock { $0 } }

        func output(columns: Int?) -> TerminalOutput {
            TerminalOutput(
                isTerminal: columns != nil, usesColor: false,
                measure: { .init(columns: columns ?? 80, rows: 24) },
                sink: { [self] text in written.withLock { $0 += text } })
        }
    }

    @Test func eachFindingHasAMarkThatNeedsNoColour() async throws {
        let screen = Screen()
        let session = DoctorSession(isJSON: false, output: screen.output(columns: nil))
        for grade in DoctorFinding.Grade.allCases {
            await session.tell(.init("disk", grade, "says\u{1B}[2J this"))
        }
        #expect(await session.hasFailed)
        try await session.end()
        let lines = screen.text.split(separator: "\n").map(String.init)
        #expect(lines.map { $0.prefix { $0 != " " } } == ["ok", "warn", "FAIL", "guess", "1"])
        #expect(lines.last == "1 thing does not work, 1 could be better.")
        #expect(!screen.text.contains("\u{1B}"))
    }

    @Test func longFindingsGoOnBelowThemselves() {
        let text = (1...30).map { "word\($0)" }.joined(separator: " ")
        let row = DoctorSession.row(.init("memory", .ok, text), columns: 60)
        let lines = row.split(separator: "\n").map(String.init)
        #expect(lines.count > 3 && lines.allSatisfy { $0.count < 60 })
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix(String(repeating: " ", count: 22) + "word") })
        #expect(
            lines.joined(separator: " ").split(separator: " ").dropFirst(2).joined(separator: " ") == text)
    }

    @Test func programsGetOneObject() async throws {
        let screen = Screen()
        let session = DoctorSession(isJSON: true, output: screen.output(columns: nil))
        await session.tell(.init("disk", .warn, "short", figures: ["free_bytes": 5]))
        #expect(screen.text.isEmpty)
        try await session.end()
        #expect(await !session.hasFailed)
        let report = try Wire.decoder().decode(DoctorSession.Report.self, from: Data(screen.text.utf8))
        #expect(report.failures == 0 && report.warnings == 1)
        #expect(report.findings == [.init("disk", .warn, "short", figures: ["free_bytes": 5])])
    }

    @Test func aConfigurationThatCannotBeReadIsToldWithItsPlace() throws {
        let home = FileManager.default.temporaryDirectory.path + "/inkling-doctor-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: home) }
        try FileManager.default.createDirectory(
            atPath: home + "/.config/inkling", withIntermediateDirectories: true)
        let environment = ["HOME": home]
        #expect(LocalFindings.configuration(environment: environment).finding.grade == .ok)
        let file = home + "/.config/inkling/config.toml"
        try Data("[chat]\nmodle = \"x\"\n".utf8).write(to: URL(filePath: file))
        let (finding, settings) = LocalFindings.configuration(environment: environment)
        #expect(finding.grade == .fail && settings == nil)
        #expect(finding.text.contains(file + ":2") && finding.text.contains("chat.model"), "\(finding.text)")
    }

    @Test func foldersThatOthersCanEnterAreTold() throws {
        let home = FileManager.default.temporaryDirectory.path + "/inkling-doctor-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: home) }
        var paths = try Paths(environment: ["HOME": home])
        paths.runtime = home + "/run"
        #expect(LocalFindings.folders(paths).grade == .ok)
        try paths.prepare()
        #expect(LocalFindings.folders(paths).grade == .ok)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: paths.data)
        #expect(LocalFindings.folders(paths).grade == .warn)
        try FileManager.default.removeItem(atPath: paths.state)
        try Data().write(to: URL(filePath: paths.state))
        #expect(LocalFindings.folders(paths).grade == .fail)
    }
}
