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
    /// The earlier frame that it is, beside which the line stays as it is typed.
    var frame: Int?
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
        let looking = painting == nil && !keepsRecalled ? live.recalled : nil
        let status =
            looking.map { LiveStatus.text(of: $0, columns: columns) } ?? live.notice
            ?? live.status.text(columns: columns)
        return (
            DisplayWidth.truncate(status, to: max(1, columns - 1)), room.rows > 0 ? live.picture : nil
        )
    }

    /// Has the picture follow an `/imagine` line, and other lines evaluated ahead.
    func followTyping() {
        guard surroundings.inputStyle == .keys else { return }
        if let prompt = ChatCommand.prompt(of: editor.text) {
            begin()
            if live?.type(prompt, at: surroundings.elapsed()) == true { keepsRecalled = false }
        } else {
            leaveEarlierFrame()
            let text = editor.text
            guard !text.hasPrefix("/"), !text.hasPrefix("\"\"\""), text != toldDraft else { return }
            toldDraft = text
            guard !text.isEmpty else { return }
            var draft = TypedDraft(
                text: text, model: conversation == nil ? options.model : nil, pictures: options.pictures)
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

    /// Gives a key to the picture of an `/imagine` line: another seed, more words, a look back.
    ///
    /// - Returns: false where the key has its usual meaning.
    func handleByPicture(_ key: Key) async -> Bool {
        guard let live, !isBusy, editor.search == nil, ChatCommand.prompt(of: editor.text) != nil else {
            return false
        }
        switch (key.name, key.modifiers) {
        case (.tab, []): self.live?.changeSeed(by: 1)
        case (.tab, .shift): self.live?.changeSeed(by: -1)
        case (.scalar("e"), .alt): return enrich()
        case (.pageUp, _):
            self.live?.browse(.init(count: -1, takesDrafts: key.modifiers.contains(.alt)))
        case (.pageDown, _):
            self.live?.browse(.init(count: 1, takesDrafts: key.modifiers.contains(.alt)))
        case (.escape, _) where live.recalled != nil || live.isLookingBack:
            leaveEarlierFrame()
        case (.enter, []) where live.isLookingBack: keepsRecalled = true
        case (.enter, []) where live.recalled != nil: await keepRecalled()
        default: return false
        }
        return true
    }

    private func leaveEarlierFrame() {
        keepsRecalled = false
        guard let live, live.recalled != nil || live.isLookingBack else { return }
        self.live?.stopBrowsing(room: room)
    }

    /// Takes in what happened to the picture.
    func receive(_ event: LivePicture.Event) async {
        live?.receive(event, at: surroundings.elapsed(), room: room)
        if keepsRecalled, live?.isLookingBack == false { await keepRecalled() }
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
        paint("/imagine \(prompt)", CanvasCommit(conversation: conversation, edits: edits))
    }

    /// Puts the earlier frame that is looked at into the conversation, as it was; there may be none.
    private func keepRecalled() async {
        keepsRecalled = false
        guard let entry = live?.recalled?.entry else { return }
        do {
            let conversation = try await currentConversation().id
            let line = "/imagine " + TextSanitizer.line(entry.frame.recipe.prompt)
            paint(line, CanvasCommit(frame: entry.number, conversation: conversation, edits: editing))
            editing = nil
        } catch {
            complain(error)
        }
    }

    private func paint(_ line: String, _ commit: CanvasCommit) {
        guard let link = live?.link, let text = live?.prompt else { return }
        live?.status.isKeeping = true
        paintingCount += 1
        let (post, client, number) = (post, client, paintingCount)
        let isShown = surroundings.display != nil
        let task = Task {
            let result = await Result {
                var painted = Painted(committed: try await link.commit(text, commit))
                let id = painted.committed.picture.id
                if isShown { painted.file = (try? await client.pictureFile(id)).map { Array($0) } }
                return painted
            }
            post.yield(.painted(result, painting: number))
        }
        painting = RunningPainting(
            number: number, line: line, task: task, since: surroundings.elapsed(), edits: commit.edits,
            frame: commit.frame)
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
        guard surroundings.inputStyle == .keys, stopped.frame != nil || editor.isEmpty else { return }
        editing = stopped.edits
        if stopped.frame == nil { editor.replace(with: stopped.line) }
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
            if ended.frame == nil { live?.beginAnew() } else { live?.goOn(room: room) }
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
