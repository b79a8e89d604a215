import AssistantAPI

/// An answer while it streams.
struct RunningAnswer {
    let task: Task<Void, Never>
    var wrapper: AnswerWrapper
    var sanitizer = TextSanitizer()
    /// What the daemon is doing, until there is text.
    var status = "waiting for the daemon"
    /// Took long enough to say so.
    var isSlow = false
    var isStatusShown = false
    var hasText = false
    /// When the picture was begun, of an answer that is one.
    var paintedSince: Duration?
    var isStopping = false
    /// The last event came.
    var isOver = false
}

extension ChatSession {
    /// How long an answer may take before the user is told what goes on.
    private static let patience = Duration.milliseconds(300)

    /// Sends a message, or with `editing` another wording of one.
    func ask(_ text: String) async {
        var draft = MessageDraft(content: text)
        draft.edits = editing
        editing = nil
        await send(draft)
    }

    func send(_ draft: MessageDraft) async {
        var draft = draft
        draft.settings = options.settings == GenerationSettings() ? nil : options.settings
        draft.pictures = options.pictures
        let id: Conversation.ID
        do {
            id = try await currentConversation().id
        } catch {
            complain(error)
            return
        }
        answerCount += 1
        let (client, post, reconnect, number) = (client, post, surroundings.reconnect, answerCount)
        let sent = draft
        let task = Task {
            let timer = Task {
                try await Task.sleep(for: Self.patience)
                post.yield(.slow(answer: number))
            }
            defer { timer.cancel() }
            let error = await Self.deliver(sent, to: id, client, reconnect) { post.yield(.answer($0)) }
            post.yield(.answerEnded(error))
        }
        let wraps = surroundings.output.isTerminal
        answer = RunningAnswer(
            task: task, wrapper: AnswerWrapper(columns: wraps ? output.size().columns : nil))
        exitCode = 0
    }

    /// Sends a message, to a new daemon where the old one is gone, and reports what kept it from an end.
    private static func deliver(
        _ draft: MessageDraft, to id: Conversation.ID, _ client: DaemonClient,
        _ reconnect: @Sendable () async throws -> Void, _ receive: @escaping @Sendable (ChatEvent) -> Void
    ) async -> ClientError? {
        do {
            do {
                try await client.send(draft, to: id) { receive($0) }
            } catch ClientError.notRunning {
                try await reconnect()
                try await client.send(draft, to: id) { receive($0) }
            }
            return nil
        } catch let error as ClientError {
            return error
        } catch {
            return Task.isCancelled ? .cancelled : .badAnswer(String(describing: error))
        }
    }

    /// The conversation that messages go to; made when the first one does.
    func currentConversation() async throws -> Conversation {
        if let conversation { return conversation }
        let draft = ConversationDraft(
            model: options.model, system: options.system, isPrivate: options.isPrivate ? true : nil)
        let created = try await reconnecting { try await self.client.create(draft) }
        conversation = created
        return created
    }

    /// Runs a request, once more with a new daemon when the old one is gone.
    func reconnecting<Result: Sendable>(_ request: () async throws -> Result) async throws -> Result {
        do {
            return try await request()
        } catch ClientError.notRunning {
            try await surroundings.reconnect()
            return try await request()
        }
    }

    /// Closes the connection: the daemon stops and keeps what was said.
    func stopAnswer() {
        guard answer?.isStopping == false else { return }
        answer?.isStopping = true
        answer?.task.cancel()
    }

    // MARK: - Events

    func receive(_ event: ChatEvent) {
        guard answer != nil else { return }
        switch event {
        case .accepted(let accepted):
            if let message = accepted.message { lastQuestion = message }
            lastAnswer = accepted.answer
            answeringModel = accepted.model
            answer?.status = "thinking"
        case .queued(let queued):
            showStatus(queued.ahead == 1 ? "waiting for 1 request" : "waiting for \(queued.ahead) requests")
        case .loading(let loading):
            showStatus("loading the model", percent: loading.fraction)
        case .prefill(let progress):
            let done = Double(progress.processed) / Double(max(progress.total, 1))
            showStatus("reading \(progress.total) tokens", percent: done)
        case .notice(let notice):
            interject("(\(TextSanitizer.line(notice.message)))")
        case .token(let token): write(token.text)
        case .painting(let painting):
            if answer?.paintedSince == nil { answer?.paintedSince = surroundings.elapsed() }
            let share = Double(painting.step) / Double(max(painting.steps, 1))
            showStatus("painting " + TextSanitizer.line(painting.prompt), percent: share)
        case .picture(let finished): show(finished)
        case .completed(let completed):
            answer?.isOver = true
            end(completed.message)
            tellFigures(of: completed)
        case .failed(let failure):
            answer?.isOver = true
            clearStatus()
            endText()
            let code = failure.error.code.rawValue
            complain(ClientError.refused(status: 500, code: code, message: failure.error.message))
        }
    }

    private func write(_ text: String) {
        guard var answer, !answer.isStopping else { return }
        var text = answer.sanitizer.sanitize(text)
        // Some models begin with a space or an empty line.
        if !answer.hasText { text = String(text.drop { $0.isWhitespace }) }
        guard !text.isEmpty else { return }
        clearStatus()
        answer.isStatusShown = false
        answer.hasText = true
        output.write(answer.wrapper.add(text))
        self.answer = answer
    }

    /// Shows the picture that an answer is, below it what the model had painted.
    private func show(_ finished: PictureEvent.Finished) {
        guard let answer, !answer.isStopping else { return }
        clearStatus()
        endText()
        let picture = finished.picture
        if let drawing = surroundings.display?.draw(Array(finished.data), in: room) { output.write(drawing) }
        let time = surroundings.elapsed() - (answer.paintedSince ?? surroundings.elapsed())
        let facts = surroundings.inputStyle == .pipe ? "" : "  " + PictureText.facts(picture, time: time)
        output.write(
            PictureText.prompt(picture) + "\n"
                + output.styled("picture \(TextSanitizer.line(picture.id))\(facts)", .dim) + "\n")
    }

    private func end(_ message: Message) {
        clearStatus()
        endText()
        switch message.finish {
        case .length: output.write(output.styled("(the answer reached its length limit)", .dim) + "\n")
        case .cancelled: output.write(output.styled("(stopped)", .dim) + "\n")
        default: break
        }
    }

    /// How quick the answer was, for a person who wants to know; a pipe's output is answers alone.
    private func tellFigures(of completed: ChatEvent.Completed) {
        guard options.showsFigures, surroundings.inputStyle != .pipe,
            let line = AnswerFigures.line(completed)
        else { return }
        let fitted =
            output.isTerminal ? DisplayWidth.truncate(line, to: max(1, output.size().columns - 1)) : line
        output.write(output.styled(fitted, .dim) + "\n")
    }

    /// The stream is over, for whatever reason.
    func endAnswer(_ error: ClientError?) {
        guard let ended = answer else { return }
        clearStatus()
        endText()
        if ended.isStopping, !ended.isOver {
            output.write(output.styled("(stopped)", .dim) + "\n")
        } else if let error, !ended.isOver {
            complain(error)
        }
        if surroundings.inputStyle != .pipe { output.write("\n") }
        answer = nil
    }

    private func endText() {
        if let column = answer?.wrapper.column, column > 0 { output.write(answer?.wrapper.add("\n") ?? "") }
    }

    /// A sentence between the lines of an answer.
    private func interject(_ sentence: String) {
        clearStatus()
        endText()
        if surroundings.inputStyle == .pipe {
            StandardStreams.complain(sentence)
        } else {
            output.write(output.styled(sentence, .dim) + "\n")
        }
    }

    // MARK: - Progress

    private func showStatus(_ status: String, percent: Double? = nil) {
        let isNews = answer?.status.hasPrefix(status) == false
        // Without cursor movement every change is a line: there only the step is told.
        let share = output.isTerminal ? percent.map { " (\(Int(($0 * 100).rounded(.down))) %)" } : nil
        answer?.status = status + (share ?? "")
        guard output.isTerminal || isNews else { return }
        showStatus(becauseSlow: false)
    }

    /// Shows what goes on, once it takes a moment: on a row that is rewritten, or without cursor movement as lines.
    func showStatus(becauseSlow: Bool) {
        if becauseSlow { answer?.isSlow = true }
        guard let answer, answer.isSlow, !answer.hasText, !answer.isStopping, !answer.isOver else { return }
        switch (surroundings.inputStyle, output.isTerminal) {
        case (.pipe, _): return
        case (_, true):
            let status = DisplayWidth.truncate(answer.status + "…", to: max(output.size().columns - 1, 1))
            output.write("\r" + output.styled(status, .dim) + "\u{1B}[K")
            self.answer?.isStatusShown = true
        case (_, false): output.write("(\(answer.status))\n")
        }
    }

    private func clearStatus() {
        guard answer?.isStatusShown == true else { return }
        output.write("\r\u{1B}[K")
        answer?.isStatusShown = false
    }
}
