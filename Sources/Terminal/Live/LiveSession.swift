import AssistantAPI
import Glibc

/// A picture that follows what is typed: keys and frames come in, the screen goes out.
///
/// All that happens comes through one stream, in order. The actor waits for nothing: neither for the daemon nor for a
/// frame's decoding, so that a key is on the screen at once however busy the machine is.
public actor LiveSession {
    /// Something that happened.
    enum Event: Sendable {
        /// `nil` once the terminal is gone.
        case key(Key?)
        case signal(Int32)
        case picture(LivePicture.Event)
        /// What came of a keeping, by its number.
        case kept(Result<Kept, ClientError>, keeping: Int)
        /// More words for a text came, or none.
        case enriched(Result<PromptText, ClientError>, of: String)
    }

    /// What the session reaches of the process around it.
    struct Surroundings: Sendable {
        var output: TerminalOutput
        /// `nil` where no pictures can be shown.
        var display: FrameDisplay?
        /// Sees to it that a daemon runs.
        var reconnect: @Sendable () async throws -> Void
        /// Stops the process, as Control-Z does.
        var suspend: @Sendable () async -> Void
        /// The time since the session began.
        var elapsed: @Sendable () -> Duration
    }

    static let prompt = ">>> "
    private static let continuation = "... "
    private static let hint = "What to paint (Enter keeps, Tab: other seed, Alt-E: more words, PgUp: back)"

    let options: LiveOptions
    let client: DaemonClient
    var surroundings: Surroundings
    let events: AsyncStream<Event>
    nonisolated let post: AsyncStream<Event>.Continuation

    var editor = LineEditor()
    var screen = LiveScreen()
    var live: LivePicture
    var keeping: Keeping?
    var keepingCount = 0
    /// The earlier frame that is on its way is to be kept when it is there.
    var keepsRecalled = false
    /// Keys that were typed while a picture was being kept.
    var waitingKeys: [Key] = []
    private var expectsContinue = false
    var isDone = false

    init(client: DaemonClient, options: LiveOptions, surroundings: Surroundings) {
        self.client = client
        self.options = options
        self.surroundings = surroundings
        let (events, post) = AsyncStream.makeStream(of: Event.self)
        (self.events, self.post) = (events, post)
        live = LivePicture(
            client: client, settings: options.settings, display: surroundings.display,
            reconnect: surroundings.reconnect, receive: { post.yield(.picture($0)) })
        editor.replace(with: options.prompt)
    }

    var output: TerminalOutput { surroundings.output }

    /// Runs until the user leaves.
    func run() async {
        follow()
        draw()
        for await event in events {
            await handle(event)
            if isDone { break }
            draw()
        }
        keeping?.task.cancel()
        draw(isFinal: true)
        output.write(screen.finish())
        await live.link.close()
    }

    // MARK: - What comes in

    private func handle(_ event: Event) async {
        switch event {
        case .key(nil): isDone = true
        case .key(let key?): await handle(key)
        case .signal(SIGWINCH): redrawAfterResize()
        case .signal(SIGCONT): resume()
        case .signal: break
        case .picture(let event):
            live.receive(event, at: surroundings.elapsed(), room: room)
            if keepsRecalled, !live.isLookingBack { await keepRecalled(after: event) }
        case .kept(let result, let number):
            if number == keeping?.number { await finishKeeping(result) }
        case .enriched(let result, let text): swapIn(result, for: text)
        }
    }

    func handle(_ key: Key) async {
        if keeping != nil || keepsRecalled { return await handleWhileKeeping(key) }
        switch (key.name, key.modifiers) {
        case (.scalar("c"), .control) where editor.search == nil: isDone = true
        case (.scalar("d"), .control) where editor.cursor == editor.characters.count: isDone = true
        case (.tab, []): live.changeSeed(by: 1)
        case (.tab, .shift): live.changeSeed(by: -1)
        case (.scalar("e"), .alt): enrich()
        case (.pageUp, _): live.browse(.init(count: -1, takesDrafts: key.modifiers.contains(.alt)))
        case (.pageDown, _): live.browse(.init(count: 1, takesDrafts: key.modifiers.contains(.alt)))
        case (.escape, _) where live.recalled != nil || live.isLookingBack: live.stopBrowsing(room: room)
        case (.enter, []) where live.isLookingBack: keepsRecalled = true
        case (.enter, []) where live.recalled != nil:
            keep(nil, CanvasCommit(frame: live.recalled?.entry.number))
        default: await edit(key)
        }
    }

    private func edit(_ key: Key) async {
        switch editor.handle(key) {
        case .redraw: follow()
        case .submit(let text):
            if text.contains(where: { !$0.isWhitespace }) {
                live.type(text, at: surroundings.elapsed())
                keep(text, CanvasCommit())
            } else {
                follow()
            }
        case .interrupt, .end: isDone = true
        case .suspend: await suspend()
        case .openEditor: break
        case .clearScreen:
            output.write(screen.erase() + "\u{1B}[H\u{1B}[2J")
        }
    }

    func suspend() async {
        draw(isFinal: true)
        output.write(screen.finish())
        expectsContinue = true
        await surroundings.suspend()
    }

    /// Has the picture follow the text.
    func follow() { live.type(editor.text, at: surroundings.elapsed()) }

    // MARK: - More words

    /// Asks the chat model for more words, while what was typed is painted as ever.
    private func enrich() {
        let text = editor.text
        guard !live.status.isEnriching, text.contains(where: { !$0.isWhitespace }) else { return }
        live.status.isEnriching = true
        let (client, post) = (client, post)
        Task {
            post.yield(.enriched(await Result { try await client.enrich(PromptText(text: text)) }, of: text))
        }
    }

    /// Puts the enriched text into the line, where it can be edited, unless more was typed; undo brings back the old one.
    private func swapIn(_ result: Result<PromptText, ClientError>, for text: String) {
        live.status.isEnriching = false
        switch result {
        case .success(let enriched):
            guard editor.text == text, keeping == nil, !keepsRecalled else { return }
            editor.replace(with: TextSanitizer.line(enriched.text))
            follow()
        case .failure(let error): live.status.fail(error.description)
        }
    }

    // MARK: - What goes out

    var room: TerminalOutput.Size { LiveScreen.room(in: output.size()) }

    /// Takes the terminal back after a stop; after one of our own, that is done already.
    private func resume() {
        if !expectsContinue {
            RawMode.renew()
            screen.forget()
        }
        expectsContinue = false
    }

    private func redrawAfterResize() {
        output.write(screen.erase(afterResizeTo: output.size().columns))
        surroundings.display = surroundings.display?.remeasured()
        live.resize(to: room, display: surroundings.display)
    }

    /// Draws what is typed, the picture above it, and the status below or, in the end, none.
    func draw(isFinal: Bool = false) {
        let size = output.size()
        let text = keeping?.text.map { Array($0) } ?? editor.characters
        var prompt = Self.prompt
        if let search = editor.search {
            prompt = "(\(search.hasFailed ? "no match" : "search") '\(search.query)') "
        }
        let layout = LineLayout(
            prompt: prompt, continuation: Self.continuation, text: text,
            cursor: keeping?.text == nil ? editor.cursor : text.count,
            hint: isFinal || !output.usesColor ? "" : Self.hint, columns: size.columns)
        let looking = keeping == nil && !keepsRecalled ? live.recalled : nil
        let status =
            isFinal
            ? ""
            : looking.map { LiveStatus.text(of: $0, columns: size.columns) } ?? live.notice
                ?? live.status.text(columns: size.columns)
        output.write(
            screen.draw(
                layout, status: DisplayWidth.truncate(status, to: max(1, size.columns - 1)),
                dims: output.usesColor, picture: room.rows > 0 ? live.picture : nil,
                size: size))
    }
}
