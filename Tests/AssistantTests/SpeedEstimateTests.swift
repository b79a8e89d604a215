import AssistantAPI
import Testing

@testable import Assistant

/// What is guessed of models that are not here.
@Suite struct SpeedEstimateTests {
    private static func findings(bandwidth: Double, compute: Double, budget: Int) -> [DoctorFinding] {
        SpeedEstimates(speed: .init(bandwidth: bandwidth, convolutions: compute), budget: budget).findings
    }

    @Test func theyFollowFromWhatWasMeasured() throws {
        let findings = Self.findings(bandwidth: 50e9, compute: 230e9, budget: 64 << 30)
        #expect(findings.allSatisfy { $0.grade == .estimate && $0.figures["fits"] == 1 })
        let large = try #require(findings.first { $0.text.contains("8B") })
        // Measured there: 8.8 tokens a second.
        #expect((4.4...17.6).contains(try #require(large.figures["decode_tokens_per_second"])))
        let painter = try #require(findings.first { $0.text.contains("1.5") })
        // Measured there: 2.96 s a pass and 4.8 s for the decoder.
        #expect((60...250).contains(try #require(painter.figures["picture_seconds"])))
        let faster = Self.findings(bandwidth: 100e9, compute: 460e9, budget: 64 << 30)
        for (slow, fast) in zip(findings, faster) {
            let rate = { (finding: DoctorFinding) in
                finding.figures["decode_tokens_per_second"] ?? 1 / (finding.figures["picture_seconds"] ?? 0)
            }
            #expect(abs(rate(fast) / rate(slow) - 2) < 0.01)
        }
    }

    @Test func whatDoesNotFitIsSaid() {
        let findings = Self.findings(bandwidth: 50e9, compute: 230e9, budget: 4 << 30)
        let large = findings.filter { $0.figures["fits"] == 0 }
        #expect(large.map { $0.text.contains("does not fit") } == large.map { _ in true })
        #expect(large.contains { $0.text.contains("8B") } && large.contains { $0.text.contains("SDXL") })
        #expect(findings.contains { $0.text.contains("1B") && $0.figures["fits"] == 1 })
    }

    @Test func theProcessorIsCalledByItsName() {
        let text = "processor\t: 0\nmodel name\t: A Fine CPU @ 3 GHz\nflags\t: fpu\n"
        #expect(MachineFindings.name(inProcessors: text) == "A Fine CPU @ 3 GHz")
        #expect(MachineFindings.name(inProcessors: "model name\t:\n") == nil)
        #expect(MachineFindings.name(inProcessors: "") == nil)
    }

    @Test(arguments: zip([0.04, 9.96, 12.345, -1.5, .nan], ["0.0", "10.0", "12.3", "-1.5", "?"]))
    func numbersAreWrittenShort(_ number: Double, _ text: String) {
        #expect(number.tenths == text)
    }

    @Test func speedsOfAnAnswerComeFromItsTimings() {
        let summary = CompletionSummary(
            finish: .length, usage: .init(promptTokens: 300, cachedTokens: 100, completionTokens: 11),
            timings: .init(queued: 0, loading: 500, prefill: 400, decode: 2000, firstToken: 900))
        let finding = Examination.chatFinding("m", summary)
        #expect(finding.figures["prefill_tokens_per_second"] == 500)
        #expect(finding.figures["decode_tokens_per_second"] == 5)
        #expect(finding.grade == .warn)
    }
}
