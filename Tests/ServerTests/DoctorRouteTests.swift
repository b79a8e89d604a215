import AssistantAPI
import FoundationEssentials
import Settings
import Testing

@testable import Server

/// `/inkling/v1/doctor` over a real socket.
@Suite(.timeLimit(.minutes(5)))
struct DoctorRouteTests {
    private static let path = "/inkling/v1/doctor"

    private static func examine(
        _ daemon: RunningDaemon
    ) async throws -> (findings: [DoctorFinding], end: DoctorEvent.Completed) {
        let response = try await daemon.get(path)
        #expect(response.status == 200, "\(response.text)")
        var (findings, end): ([DoctorFinding], DoctorEvent.Completed?) = ([], nil)
        for event in response.text.split(separator: "\n\n") {
            let lines = event.split(separator: "\n")
            guard let name = lines.first(where: { $0.hasPrefix("event: ") })?.dropFirst(7),
                let data = lines.first(where: { $0.hasPrefix("data: ") })?.dropFirst(6)
            else { continue }
            switch try DoctorEvent(name: String(name), data: Data(data.utf8)) {
            case .finding(let finding)?: findings.append(finding)
            case .completed(let completed)?: end = completed
            default: Issue.record("\(name)")
            }
        }
        return (findings, try #require(end))
    }

    @Test func everythingIsLookedAtAndMeasured() async throws {
        // Its prompt is longer than the context that other tests have.
        try await RunningDaemon.run(contextLength: RunningDaemon.endlessContext, painter: ScriptedPainter()) {
            daemon in
            let (findings, end) = try await Self.examine(daemon)
            #expect(
                findings.map(\.area) == [
                    "processor", "memory", "disk", "history", "bandwidth", "compute", "chat", "pictures",
                ] + [String](repeating: "estimates", count: 6))
            #expect(end.failures == findings.count { $0.grade == .fail })
            #expect(end.warnings == findings.count { $0.grade == .warn })
            let figures = Dictionary(findings.map { ($0.area, $0.figures) }) { first, _ in first }
            #expect(try #require(figures["bandwidth"]?["bytes_per_second"]) > 1e8)
            #expect(try #require(figures["compute"]?["flop_per_second"]) > 1e7)
            let chat = try #require(findings.first { $0.area == "chat" })
            #expect(chat.grade != .fail && chat.text.hasPrefix("tiny reads"), "\(chat)")
            #expect(try #require(chat.figures["prefill_tokens_per_second"]) > 0)
            #expect(findings.first { $0.area == "history" }?.grade == .ok)
            #expect(findings.last?.grade == .estimate)
            // Nothing of it stays.
            #expect(try await daemon.get("/inkling/v1/pictures").text == #"{"pictures":[]}"#)
            #expect(try await daemon.get("/inkling/v1/conversations").text.contains(#""conversations":[]"#))
        }
    }

    @Test func modelsThatAreMissingOrDamagedAreToldAndTheRestIsLookedAt() async throws {
        try await RunningDaemon.run(
            painter: ScriptedPainter(),
            configure: { ($0.chat.model, $0.picture.model) = ("none", "broken") }
        ) { daemon in
            try ScriptedPainter.makeModel("broken", in: daemon.folder + "/data/inkling/models")
            let (findings, end) = try await Self.examine(daemon)
            for area in ["chat", "pictures"] {
                let finding = try #require(findings.first { $0.area == area })
                #expect(finding.grade == .fail && !finding.text.isEmpty, "\(finding)")
            }
            #expect(end.failures >= 2)
            #expect(findings.last?.area == "estimates")
        }
    }

    @Test func theLeavingOfAClientStopsTheWork() async throws {
        let gate = StepGate()
        let painter = ScriptedPainter { step, pass in if step == 0 { try gate.pass(step, pass) } }
        try await RunningDaemon.run(painter: painter) { daemon in
            let connection = try daemon.connect()
            try connection.send(TestConnection.text("GET", Self.path))
            #expect(await gate.reached() == 0)
            connection.close()
            // The gate is still shut: only the leaving can have ended the work.
            gate.open()
            let response = try await daemon.post("/inkling/v1/pictures", #"{"prompt":"a fox"}"#)
            #expect(response.text.contains("event: completed"))
        }
    }
}
