import AssistantAPI
import FoundationEssentials
import Glibc

/// One question, one answer.
public struct OneShot: Sendable {
    public struct Options: Sendable {
        public var chat = ChatSession.Options()
        public var isJSON = false
        public var isPlain = false

        public init() {}
    }

    /// What `--json` prints.
    struct Report: Encodable {
        var answer: String
        var finish: FinishReason?
        var model: String?
        var conversation: Conversation.ID
        var message: Message.ID
        var picture: Picture.ID?
        var usage: Usage?
        var timings: Timings
    }

    private let client: DaemonClient
    private let output: TerminalOutput
    private let options: Options
    /// Progress is shown there, where it is a terminal and the answer is not in its way.
    private let showsProgress: Bool
    private let progress: @Sendable (String) -> Void

    public init(client: DaemonClient, options: Options, environment: [String: String]) {
        let output = TerminalOutput.standard(isPlain: options.isPlain, environment: environment)
        self.init(
            client: client, options: options, output: output,
            showsProgress: isatty(2) == 1 && !options.isPlain && environment["TERM"] != "dumb",
            progress: { StandardStreams.write($0, to: 2) })
    }

    init(
        client: DaemonClient, options: Options, output: TerminalOutput, showsProgress: Bool,
        progress: @escaping @Sendable (String) -> Void
    ) {
        self.client = client
        self.options = options
        self.output = output
        self.showsProgress = showsProgress
        self.progress = progress
    }

    /// The question with what was piped in after it.
    public static func prompt(question: String?, piped: String?) throws(ClientError) -> String {
        func text(_ part: String?) -> String? {
            guard var part, part.contains(where: { !$0.isWhitespace }) else { return nil }
            while part.last?.isNewline == true { part.removeLast() }
            return part
        }
        switch (text(question), text(piped)) {
        case (let question?, let piped?): return question + "\n\n" + piped
        case (let question?, nil): return question
        case (nil, let piped?): return piped
        case (nil, nil):
            throw .usage("there is no question; give one, as in: inkling \"why is the sky blue?\"")
        }
    }

    /// Asks and prints the answer as it comes.
    ///
    /// - Throws: `ClientError`; what was said until then is printed, and kept by the daemon.
    public func run(_ prompt: String) async throws {
        let id: Conversation.ID
        if let name = options.chat.conversation {
            id = try await client.find(name)
        } else {
            let draft = ConversationDraft(
                model: options.chat.model, system: options.chat.system,
                isPrivate: options.chat.isPrivate ? true : nil)
            id = try await client.create(draft).id
        }
        var message = MessageDraft(content: prompt)
        message.settings = options.chat.settings == GenerationSettings() ? nil : options.chat.settings
        message.pictures = options.chat.pictures
        if options.chat.conversation != nil { message.model = options.chat.model }
        let printer = Printer(
            output: options.isJSON ? nil : output, showsProgress: showsProgress, progress: progress)
        do {
            try await client.send(message, to: id) { try await printer.receive($0) }
        } catch {
            await printer.finish()
            if options.chat.conversation == nil { await discardEmpty(id, after: error) }
            throw error
        }
        let completed = await printer.finish()
        if options.isJSON, let completed { try report(completed, id) }
        if options.chat.showsFigures, let completed, let figures = AnswerFigures.line(completed) {
            progress("inkling: \(figures)\n")
        }
    }

    /// Leaves no empty conversation behind when the daemon did not take the message.
    private func discardEmpty(_ id: Conversation.ID, after error: any Error) async {
        guard case ClientError.refused = error else { return }
        if let made = try? await client.transcript(id), made.messages.isEmpty {
            _ = try? await client.delete(id, now: true)
        }
    }

    private func report(_ completed: ChatEvent.Completed, _ id: Conversation.ID) throws {
        let message = completed.message
        let report = Report(
            answer: message.content, finish: message.finish, model: message.model, conversation: id,
            message: message.id, picture: message.picture, usage: message.usage, timings: completed.timings)
        output.write(try JSONText.line(report))
    }

    /// Writes the events of one answer.
    private actor Printer {
        private let output: TerminalOutput?
        private let showsProgress: Bool
        private let progress: @Sendable (String) -> Void
        private let started = ContinuousClock.now
        private var wrapper: AnswerWrapper
        private var sanitizer = TextSanitizer()
        private var hasText = false
        private var isProgressShown = false
        private var completed: ChatEvent.Completed?

        init(output: TerminalOutput?, showsProgress: Bool, progress: @escaping @Sendable (String) -> Void) {
            self.output = output
            self.showsProgress = showsProgress
            self.progress = progress
            let wraps = output?.isTerminal == true
            wrapper = AnswerWrapper(columns: wraps ? output?.size().columns : nil)
        }

        func receive(_ event: ChatEvent) throws {
            switch event {
            case .accepted: break
            case .queued(let queued): show("waiting for \(queued.ahead) before this")
            case .loading(let loading): show("loading the model (\(Int(loading.fraction * 100)) %)")
            case .prefill(let prefill): show("reading \(prefill.processed) of \(prefill.total) tokens")
            case .notice(let notice):
                clear()
                progress("inkling: \(TextSanitizer.line(notice.message))\n")
            case .token(let token): write(token.text)
            case .painting(let painting): show("painting (step \(painting.step) of \(painting.steps))")
            case .picture(let finished):
                write(PictureText.prompt(finished.picture) + "\npicture " + finished.picture.id)
            case .completed(let completed): self.completed = completed
            case .failed(let failure):
                throw ClientError.refused(
                    status: 500, code: failure.error.code.rawValue, message: failure.error.message)
            }
        }

        /// Ends the last line.
        @discardableResult
        func finish() -> ChatEvent.Completed? {
            clear()
            if wrapper.column > 0 { output?.write(wrapper.add("\n")) }
            if completed?.message.finish == .length, output?.isTerminal == true {
                progress("inkling: the answer reached its length limit\n")
            }
            return completed
        }

        private func write(_ text: String) {
            guard let output else { return }
            var text = sanitizer.sanitize(text)
            if !hasText { text = String(text.drop { $0.isWhitespace }) }
            guard !text.isEmpty else { return }
            clear()
            hasText = true
            output.write(wrapper.add(text))
        }

        private func show(_ status: String) {
            guard showsProgress, !hasText, started.duration(to: .now) > .milliseconds(300) else { return }
            progress("\r\(status)…\u{1B}[K")
            isProgressShown = true
        }

        private func clear() {
            if isProgressShown { progress("\r\u{1B}[K") }
            isProgressShown = false
        }
    }
}
