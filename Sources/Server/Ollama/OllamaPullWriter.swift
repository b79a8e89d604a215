import AssistantAPI

/// Puts the events of pulls into the lines of `POST /api/pull`.
struct OllamaPullWriter: EventWriter {
    var format: StreamFormat { .lines }

    private var files: [PullEvent.File] = []
    private var isVerifying = false

    func commits(_ event: PullEvent) -> Bool { event.commits }

    mutating func text(for event: PullEvent) throws -> String {
        switch event {
        case .planned(let planned):
            files = planned.files
            return Self.line("pulling manifest")
        case .progress(let progress):
            guard files.indices.contains(progress.file) else { return "" }
            let file = files[progress.file]
            return Self.line(
                "pulling \(Self.short(file.digest))",
                [
                    ("digest", .string(file.digest)), ("total", JSON(file.bytes)),
                    ("completed", JSON(progress.fileCompleted)),
                ])
        case .verifying:
            defer { isVerifying = true }
            return isVerifying ? "" : Self.line("verifying sha256 digest")
        case .notice(let notice): return Self.line(notice.message)
        case .completed: return Self.line("writing manifest") + Self.line("success")
        case .failed(let failure): return OllamaFrame.line(Failure(failure.error))
        }
    }

    mutating func text(for failure: Failure, _ error: any Error) throws -> String {
        OllamaFrame.line(failure)
    }

    mutating func end() -> String { "" }

    /// The beginning of a digest's digits, as Ollama shows it.
    private static func short(_ digest: String) -> Substring {
        (digest.split(separator: ":").last ?? "").prefix(12)
    }

    private static func line(_ status: String, _ members: [(String, JSON)] = []) -> String {
        JSON([("status", .string(status))] + members).text + "\n"
    }
}
