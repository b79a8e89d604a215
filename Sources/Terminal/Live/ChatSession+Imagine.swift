import AssistantAPI

/// A picture of a chat that is on its way into the conversation.
struct RunningPainting {
    /// Counts the pictures: what comes of one that was given up is not the next one's.
    var number: Int
    /// The line as it was typed.
    var line: String
    var task: Task<Void, Never>
    var since: Duration
    /// The message that a new wording is to stand beside.
    var edits: Message.ID?
}

/// A picture that a conversation has.
struct Painted: Sendable {
    var committed: CanvasCommitted
    /// The picture's file, where it can be shown and was to be had.
    var file: [UInt8]?
}

/// What is being typed, and where it will go.
struct TypingDraft: Sendable {
    /// `nil` for the first message of a conversation that is made when it is sent.
    var conversation: Conversation.ID?
    var draft: TypedDraft
}

extension ChatCommand {
    /// What an `/imagine` line asks for, as it is typed; `nil` for other lines.
    static func prompt(of line: String) -> String? {
        guard case .imagine(let prompt?)? = ChatCommand(line) else { return nil }
        return prompt
    }
}

extension ChatSession {
    /// An answer streams, or a picture is on its way.
    var isBusy: Bool { answer != nil || painting != nil }

    var room: TerminalOutput.Size { LiveScreen.room(in: output.size()) }

    /// What stands around the line that is typed, where it asks for a picture.
    var shownPicture: (status: String, picture: LiveScreen.Picture?)? {
        guard surroundings.inputStyle == .keys, let live,
            painting != nil || ChatCommand.prompt(of: editor.text) != nil
        else { return nil }
        let columns = output.size().columns
        let status = live.notice ?? live.status.text(columns: columns)
        return (
            DisplayWidth.truncate(status, to: max(1, columns - 1)), room.rows > 0 ? live.picture : nil
        )
    }

    /// Has the picture follow an `/imagine` line, and other lines evaluated ahead.
    func followTyping() {
        guard surroundings.inputStyle == .keys else { return }
        if let prompt = ChatCommand.prompt(of: editor.text) {
            begin()
            live?.type(prompt, at: surroundings.elapsed())
        } else {
            let text = editor.text
            guard !text.hasPrefix("/"), !text.hasPrefix("\"\"\""), text != toldDraft else { return }
            toldDraft = text
            guard !text.isEmpty else { return }
            var draft = TypedDraft(text: text, model: options.model, pictures: options.pictures)
            // The first message comes before its conversation.
            if conversation == nil { draft.system = options.system }
            drafts.send(TypingDraft(conversation: conversation?.id, draft: draft))
        }
    }

    /// Tells the daemon what is being typed; what cannot be told is no loss.
    static func draftSender(_ client: DaemonClient) -> NewestSender<TypingDraft> {
        NewestSender { try? await client.type($0.draft, in: $0.conversation) }
    }

    /// Opens the canvas, unless it is open.
    private func begin() {
        guard live == nil else { return }
        let post = post
        live = LivePicture(
            client: client, settings: CanvasSettings(), display: surroundings.display,
            reconnect: surroundings.reconnect, receive: { post.yield(.picture($0)) })
    }

    // MARK: - More words

    /// Asks the chat model for more words to the picture of an `/imagine` line, which is painted as ever.
    ///
    /// - Returns: false on other lines.
    func enrich() -> Bool {
        guard let prompt = ChatCommand.prompt(of: editor.text), !isBusy, let live else { return false }
        guard !live.status.isEnriching else { return true }
        self.live?.status.isEnriching = true
        let (client, post, line) = (client, post, editor.text)
        Task {
            post.yield(
                .enriched(await Result { try await client.enrich(PromptText(text: prompt)) }, of: line))
        }
        return true
    }

    /// Puts the enriched words into the line, where they can be edited, unless more was typed; undo brings back the old.
    func swapIn(_ result: Result<PromptText, ClientError>, for line: String) {
        live?.status.isEnriching = false
        switch result {
        case .success(let enriched):
            guard editor.text == line, !isBusy else { return }
            editor.replace(with: "/imagine " + TextSanitizer.line(enriched.text))
        case .failure(let error): live?.status.fail(error.description)
        }
    }

    // MARK: - Keeping the picture

    /// Puts the settled picture into the conversation, once it is there.
    func imagine(_ prompt: String?) async throws {
        guard let prompt else {
            throw ClientError.usage("/imagine takes what to paint, as in: /imagine a fox reading a newspaper")
        }
        let edits = editing
        let conversation: Conversation.ID
        do {
            conversation = try await currentConversation().id
        } catch {
            if surroundings.inputStyle == .keys, editor.isEmpty { editor.replace(with: "/imagine \(prompt)") }
            throw error
        }
        editing = nil
        begin()
        live?.type(prompt, at: surroundings.elapsed())
        live?.status.isKeeping = true
        guard let link = live?.link, let text = live?.prompt else { return }
        paintingCount += 1
        let (post, client, number) = (post, client, paintingCount)
        let isShown = surroundings.display != nil
        let task = Task {
            let commit = CanvasCommit(conversation: conversation, edits: edits)
            let result = await Result {
                var painted = Painted(committed: try await link.commit(text, commit))
                let id = painted.committed.picture.id
                if isShown { painted.file = (try? await client.pictureFile(id)).map { Array($0) } }
                return painted
            }
            post.yield(.painted(result, painting: number))
        }
        painting = RunningPainting(
            number: number, line: "/imagine \(prompt)", task: task, since: surroundings.elapsed(),
            edits: edits)
        exitCode = 0
    }

    /// Shows how far the picture is.
    func showPainting() {
        guard surroundings.inputStyle == .keys, let painting else { return }
        drawLine(text: painting.line, isFinal: false)
    }

    /// Gives the line back, unless something else was typed since; then Up brings it back.
    func stopPainting() {
        guard let stopped = painting else { return }
        stopped.task.cancel()
        painting = nil
        live?.status.isKeeping = false
        guard surroundings.inputStyle == .keys, editor.isEmpty else { return }
        editing = stopped.edits
        editor.replace(with: stopped.line)
    }

    func endPainting(_ result: Result<Painted, ClientError>) {
        guard let ended = painting else { return }
        switch result {
        case .success(let painted):
            let committed = painted.committed
            // What was shown until now may be a draft.
            if let file = painted.file { live?.show(committed.picture, file: file, room: room) }
            let facts = PictureText.facts(committed.picture, time: surroundings.elapsed() - ended.since)
            let id = TextSanitizer.line(committed.picture.id)
            show(line: ended.line, id: id, facts: facts)
            live?.beginAnew()
            painting = nil
            if let question = committed.messages.first(where: { $0.role == .user }) {
                lastQuestion = question
            }
            if let answer = committed.messages.last(where: { $0.role == .assistant }) {
                lastAnswer = answer.id
            }
        case .failure(let error):
            stopPainting()
            complain(error)
        }
    }

    private func show(line: String, id: String, facts: String) {
        guard surroundings.inputStyle == .keys else {
            output.write(surroundings.inputStyle == .pipe ? "picture \(id)\n" : "picture \(id)  \(facts)\n")
            return
        }
        drawLine(text: line, isFinal: true, keepsPicture: true)
        output.write(renderer.finish() + output.styled("picture \(id)  \(facts)", .dim) + "\n\n")
    }
}
