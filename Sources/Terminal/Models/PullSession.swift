public import AssistantAPI

/// Has a model pulled, and shows how far it is.
public struct PullSession: Sendable {
    /// How a pull is told.
    public struct Options: Sendable {
        /// One JSON object a line, as the events come.
        public var isJSON = false
        /// Nothing but errors.
        public var isQuiet = false
        /// No cursor movement.
        public var isPlain = false

        public init() {}
    }

    private let client: DaemonClient
    private let options: Options
    private let printer: PullPrinter
    /// How often the progress is drawn anew without news; `nil` for never.
    private let interval: Duration?

    /// A session on the standard streams.
    public init(client: DaemonClient, options: Options, environment: [String: String]) {
        let start = ContinuousClock.now
        self.init(
            client: client, options: options, interval: .milliseconds(500),
            printer: PullPrinter(
                options: options, output: .standard(isPlain: options.isPlain, environment: environment),
                errors: .standardError(isPlain: options.isPlain, environment: environment),
                elapsed: { start.duration(to: .now) }))
    }

    init(client: DaemonClient, options: Options, interval: Duration?, printer: PullPrinter) {
        self.client = client
        self.options = options
        self.interval = interval
        self.printer = printer
    }

    /// Returns when the model is there.
    ///
    /// - Throws: `ClientError`; what came by then is kept for the next time.
    public func run(_ request: PullRequest) async throws {
        let ticker = interval.map { interval in
            Task {
                while !Task.isCancelled {
                    try await Task.sleep(for: interval)
                    await printer.tick()
                }
            }
        }
        defer { ticker?.cancel() }
        do {
            try await client.pull(request) { try await printer.receive($0) }
        } catch {
            await printer.fail(error)
            throw error
        }
    }
}

/// Writes what comes of a pull: a row that is drawn over in a terminal, lines elsewhere.
actor PullPrinter {
    private let options: PullSession.Options
    private let output: TerminalOutput
    private let errors: TerminalOutput
    private let elapsed: @Sendable () -> Duration
    private var progress = PullProgressText()
    private var isRowShown = false

    init(
        options: PullSession.Options, output: TerminalOutput, errors: TerminalOutput,
        elapsed: @escaping @Sendable () -> Duration
    ) {
        self.options = options
        self.output = output
        self.errors = errors
        self.elapsed = elapsed
    }

    /// Takes in an event.
    ///
    /// - Throws: `ClientError` when the pull failed.
    func receive(_ event: PullEvent) throws {
        if options.isJSON { output.write(try Self.json(event)) }
        progress.receive(event, at: elapsed())
        switch event {
        case .planned(let planned): say(Self.plan(planned))
        case .progress, .verifying: show()
        case .notice(let notice): say(TextSanitizer.line(notice.message))
        case .completed(let completed):
            clearRow()
            if !options.isJSON, !options.isQuiet { output.write(Self.result(completed)) }
        case .failed(let failure):
            throw ClientError.refused(
                status: 500, code: failure.error.code.rawValue, message: failure.error.message)
        }
    }

    /// Shows how the time passes.
    func tick() { if errors.isTerminal { show() } }

    /// The pull ended with an error, which somebody else tells.
    func fail(_ error: any Error) {
        clearRow()
        if case ClientError.cancelled = error, !options.isQuiet, progress.planned != nil {
            errors.write("inkling: what came is kept; the same command goes on from here\n")
        }
    }

    private func show() {
        guard !options.isQuiet, !options.isJSON else { return }
        let now = elapsed()
        if errors.isTerminal {
            errors.write("\r\(progress.row(at: now, columns: errors.size().columns))\u{1B}[K")
            isRowShown = true
        } else if let line = progress.line(at: now) {
            errors.write(line + "\n")
        }
    }

    private func say(_ sentence: String) {
        guard !options.isQuiet, !options.isJSON else { return }
        clearRow()
        errors.write(sentence + "\n")
    }

    private func clearRow() {
        if isRowShown { errors.write("\r\u{1B}[K") }
        isRowShown = false
    }

    // MARK: - Text

    private static func plan(_ planned: PullEvent.Planned) -> String {
        let count = planned.files.count
        let files = count == 1 ? "one file" : "\(count) files"
        return "\(TextSanitizer.line(planned.name)): \(files), \(ConversationText.size(planned.bytes)), of "
            + "\(TextSanitizer.line(planned.repository)) at \(TextSanitizer.line(String(planned.revision.prefix(8))))"
    }

    private static func result(_ completed: PullEvent.Completed) -> String {
        let name = TextSanitizer.line(completed.name)
        return completed.wasThere
            ? "\(name) is here already: \(TextSanitizer.line(completed.path))\n"
            : "\(name) is here: \(TextSanitizer.line(completed.path))\n"
    }

    /// An event as an object whose `event` is its name.
    private static func json(_ event: PullEvent) throws -> String {
        let text =
            switch event {
            case .planned(let value): try JSONText.line(Named(event: event.name, value: value))
            case .progress(let value), .verifying(let value):
                try JSONText.line(Named(event: event.name, value: value))
            case .notice(let value): try JSONText.line(Named(event: event.name, value: value))
            case .completed(let value): try JSONText.line(Named(event: event.name, value: value))
            case .failed(let value): try JSONText.line(Named(event: event.name, value: value))
            }
        return text
    }

    private struct Named<Value: Encodable>: Encodable {
        var event: String
        var value: Value

        private enum Keys: String, CodingKey {
            case event
        }

        func encode(to encoder: any Encoder) throws {
            try value.encode(to: encoder)
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(event, forKey: .event)
        }
    }
}
