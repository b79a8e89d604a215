public import AssistantAPI

/// What a person sees of a quantisation: one row with a bar that is drawn over, then the sizes and the file.
public actor QuantizationPrinter {
    private let output: TerminalOutput
    private let errors: TerminalOutput
    private let isJSON: Bool
    private let clock = ContinuousClock()
    private var start: ContinuousClock.Instant
    private var isRowShown = false
    /// The quarters that were told where nothing can be drawn over.
    private var told = 0

    /// - Parameters:
    ///   - isJSON: One JSON object instead of sentences.
    ///   - environment: Decides what the terminal can do.
    public init(isJSON: Bool, environment: [String: String]) {
        self.init(
            isJSON: isJSON, output: .standard(isPlain: false, environment: environment),
            errors: .standardError(isPlain: false, environment: environment))
    }

    init(isJSON: Bool, output: TerminalOutput, errors: TerminalOutput) {
        self.isJSON = isJSON
        self.output = output
        self.errors = errors
        start = ContinuousClock.now
    }

    /// Takes in an event.
    ///
    /// - Throws: `ClientError` when the daemon failed.
    public func receive(_ event: QuantizeEvent) throws {
        switch event {
        case .queued(let queued): show("waiting for \(queued.ahead) before this one", nil)
        case .started(let started):
            start = clock.now
            show(Self.heading(started), 0)
        case .progress(let progress): show(progress)
        case .completed(let completed):
            clearRow()
            output.write(isJSON ? try JSONText.line(completed) : Self.summary(completed))
        case .failed(let failure):
            clearRow()
            throw ClientError.refused(
                status: 500, code: failure.error.code.rawValue, message: failure.error.message)
        }
    }

    /// Nothing more will come: the row goes.
    public func end() { clearRow() }

    private func show(_ progress: QuantizeEvent.Progress) {
        guard progress.total > 0 else { return }
        let fraction = min(1, max(0, Double(progress.done) / Double(progress.total)))
        let time = clock.now - start
        // The first moments say little of the rest.
        let left =
            fraction > 0.02 && time > .milliseconds(500)
            ? "  \(TimeText.whole(time * ((1 - fraction) / fraction))) left" : ""
        guard !errors.isTerminal else {
            return show("\(Int(fraction * 100)) %\(left)", fraction)
        }
        let quarter = Int(fraction * 4)
        guard quarter > told, !isJSON else { return }
        told = quarter
        errors.write("\(quarter * 25) %\n")
    }

    private func show(_ text: String, _ fraction: Double?) {
        guard errors.isTerminal else {
            if !isJSON, fraction == nil || fraction == 0 { errors.write(text + "\n") }
            return
        }
        let columns = errors.size().columns
        let bar = fraction.map { ProgressText.bar($0, width: max(10, min(30, columns - 30))) + "  " } ?? ""
        errors.write("\r\u{1B}[K" + DisplayWidth.truncate(bar + text, to: max(1, columns - 1)))
        isRowShown = true
    }

    private func clearRow() {
        if isRowShown { errors.write("\r\u{1B}[K") }
        isRowShown = false
    }

    static func heading(_ started: QuantizeEvent.Started) -> String {
        "to \(TextSanitizer.line(started.type)): \(ConversationText.size(started.sourceBytes)) become "
            + ConversationText.size(started.bytes)
    }

    static func summary(_ completed: QuantizeEvent.Completed) -> String {
        let time = TimeText.precise(.milliseconds(completed.milliseconds))
        let share = Double(completed.bytes) / Double(max(1, completed.sourceBytes)) * 100
        return "\(ConversationText.size(completed.sourceBytes)) → \(ConversationText.size(completed.bytes)) "
            + "(\(Int(share.rounded())) %, \(TextSanitizer.line(completed.type))) in \(time)\n"
            + TextSanitizer.line(completed.path) + "\n"
    }
}
