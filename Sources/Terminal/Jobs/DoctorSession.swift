public import AssistantAPI

/// `inkling doctor`: what can be seen from here, then what the daemon finds and measures.
public actor DoctorSession {
    private let isJSON: Bool
    private let output: TerminalOutput
    private var findings: [DoctorFinding] = []

    /// What `--json` prints.
    struct Report: Codable {
        var findings: [DoctorFinding]
        var failures: Int
        var warnings: Int
    }

    /// - Parameters:
    ///   - isJSON: One JSON object instead of a table.
    ///   - environment: Decides what the terminal can do.
    public init(isJSON: Bool, environment: [String: String]) {
        self.init(isJSON: isJSON, output: .standard(isPlain: false, environment: environment))
    }

    init(isJSON: Bool, output: TerminalOutput) {
        self.isJSON = isJSON
        self.output = output
    }

    /// Whether something does not work.
    public var hasFailed: Bool { findings.contains { $0.grade == .fail } }

    /// Takes in a finding, and shows it at once.
    public func tell(_ finding: DoctorFinding) {
        findings.append(finding)
        if !isJSON {
            output.write(Self.row(finding, columns: output.isTerminal ? output.size().columns : nil))
        }
    }

    /// Everything was looked at.
    public func end() throws {
        let failures = findings.count { $0.grade == .fail }
        let warnings = findings.count { $0.grade == .warn }
        guard !isJSON else {
            let report = Report(findings: findings, failures: failures, warnings: warnings)
            return output.write(try JSONText.line(report))
        }
        let problems = failures == 1 ? "1 thing does not work" : "\(failures) things do not work"
        let hints = warnings == 1 ? "1 could be better" : "\(warnings) could be better"
        output.write(failures == 0 && warnings == 0 ? "All is well.\n" : "\(problems), \(hints).\n")
    }

    /// The mark, what was looked at, and what was found, in as many lines as that takes.
    static func row(_ finding: DoctorFinding, columns: Int?) -> String {
        let mark =
            switch finding.grade {
            case .ok: "ok"
            case .warn: "warn"
            case .fail: "FAIL"
            case .estimate: "guess"
            }
        let head = padded(mark, 7) + padded(TextSanitizer.line(finding.area), 15)
        let text = TextSanitizer.line(finding.text)
        guard let columns, columns > 50 else { return head + text + "\n" }
        let indent = String(repeating: " ", count: DisplayWidth.of(head))
        let lines = wrapped(text, width: columns - 1 - DisplayWidth.of(head))
        return head + lines.joined(separator: "\n" + indent) + "\n"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - DisplayWidth.of(text)))
    }

    private static func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            let longer = line.isEmpty ? String(word) : line + " " + word
            if DisplayWidth.of(longer) > width, !line.isEmpty {
                lines.append(line)
                line = String(word)
            } else {
                line = longer
            }
        }
        return lines + [line]
    }
}
