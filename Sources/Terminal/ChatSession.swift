public import AssistantAPI
import Glibc

/// A conversation in the terminal: keys and events of the daemon come in, text goes out.
///
/// All that happens comes through one stream, in order, so that what is typed while an answer streams waits its
/// turn. The actor never waits for an answer: a task of its own turns its events into the same stream.
public actor ChatSession {
    public struct Options: Sendable {
        public var model: String?
        public var system: String?
        public var isPrivate = false
        /// The conversation to go on with.
        public var conversation: Conversation.ID?
        public var settings = GenerationSettings()
        /// Whether the model may answer with a picture; `nil` leaves it to the daemon.
        public var pictures: Bool?
        /// Whether a line after each answer tells how quick it was.
        public var showsFigures = false

        public init() {}
    }

    /// Something that happened.
    enum Event: Sendable {
        /// `nil` once the terminal is gone.
        case key(Key?)
        /// A whole line, where no line is edited here; `nil` at the end of the input.
        case line(String?)
        case signal(Int32)
        case answer(ChatEvent)
        case answerEnded(ClientError?)
        /// An answer is taking a moment; its number.
        case slow(answer: Int)
        /// Of the picture that follows an `/imagine` line.
        case picture(LivePicture.Event)
        /// What came of a picture for the conversation, by its number.
        case painted(Result<Painted, ClientError>, painting: Int)
        /// More words for an `/imagine` line came, or none.
        case enriched(Result<PromptText, ClientError>, of: String)
    }

    /// How lines come in.
    enum InputStyle: Sendable {
        /// Keys are edited here.
        case keys
        /// The terminal edits lines; the prompt is shown.
        case lines
        /// A pipe or a file; no prompt.
        case pipe
    }

    /// What the session reaches of the process around it.
    struct Surroundings: Sendable {
        var output: TerminalOutput
        var inputStyle: InputStyle
        /// Sees to it that a daemon runs.
        var reconnect: @Sendable () async throws -> Void
        /// Has a text edited elsewhere, with the terminal given back meanwhile.
        var edit: @Sendable (String) async throws -> String
        /// Stops the process, as Control-Z does.
        var suspend: @Sendable () async -> Void
        /// Where typed lines are kept; `nil` keeps none.
        var historyFile: InputHistoryFile?
        /// How pictures are shown; `nil` where they cannot be.
        var display: FrameDisplay?
        /// The time since the session began.
        var elapsed: @Sendable () -> Duration = { .zero }
    }

    /// A line that waits for the answer before it.
    struct PendingLine {
        var text: String
        /// Stands on the screen already.
        var isShown: Bool
    }

    let client: DaemonClient
    var surroundings: Surroundings
    let events: AsyncStream<Event>
    nonisolated let post: AsyncStream<Event>.Continuation
    var options: Options

    var editor: LineEditor
    var renderer = LiveScreen()
    var pending: [PendingLine] = []
    var answer: RunningAnswer?
    var answerCount = 0
    var conversation: Conversation?
    var lastQuestion: Message?
    var lastAnswer: Message.ID?
    /// What the newest answer came from.
    var answeringModel: String?
    /// The picture that follows an `/imagine` line; made at the first one.
    var live: LivePicture?
    var painting: RunningPainting?
    var paintingCount = 0
    /// The earlier frame that is on its way is to be put into the conversation when it is there.
    var keepsRecalled = false
    let drafts: NewestSender<TypingDraft>
    /// What was last told to be evaluated ahead.
    var toldDraft = ""
    /// The next submitted text replaces this message, as a branch.
    var editing: Message.ID?

    private var interrupts = 0
    var isPromptShown = false
    private var wantsEnd = false
    /// A stop of our own making is under way, at whose end the system says "continue".
    var expectsContinue = false
    var isDone = false
    var exitCode: Int32 = 0

    init(client: DaemonClient, options: Options, surroundings: Surroundings) {
        self.client = client
        self.options = options
        self.surroundings = surroundings
        (events, post) = AsyncStream.makeStream()
        drafts = Self.draftSender(client)
        editor = LineEditor(history: surroundings.historyFile?.load() ?? InputHistory())
        editor.completions = ChatCommand.names
    }

    var output: TerminalOutput { surroundings.output }

    /// Runs until the user leaves.
    ///
    /// - Returns: the exit code: 0, or 1 when the last thing of a piped session failed.
    func run() async -> Int32 {
        if let id = options.conversation { await open(id, isStart: true) }
        await settle()
        if !isDone {
            for await event in events {
                await handle(event)
                await settle()
                if isDone { break }
            }
        }
        answer?.task.cancel()
        painting?.task.cancel()
        await answer?.task.value
        finishLine()
        await live?.link.close()
        if surroundings.inputStyle == .lines, isPromptShown { output.write("\n") }
        return exitCode
    }

    /// Takes up waiting lines, and then shows the prompt or ends.
    private func settle() async {
        while !isBusy, !isDone, !pending.isEmpty {
            let line = pending.removeFirst()
            if !line.isShown, ChatCommand.prompt(of: line.text) == nil { show(line.text) }
            await submit(line.text)
        }
        if painting != nil { showPainting() }
        guard !isBusy, !isDone else { return }
        if wantsEnd {
            isDone = true
        } else {
            followTyping()
            showPrompt()
        }
    }

    private func submit(_ text: String) async {
        isPromptShown = false
        if let command = ChatCommand(text) {
            await run(command)
        } else if text.contains(where: { !$0.isWhitespace }) {
            await ask(text.hasPrefix("//") ? String(text.dropFirst()) : text)
        }
    }

    // MARK: - What comes in

    private func handle(_ event: Event) async {
        switch event {
        case .key(nil), .line(nil): wantsEnd = true
        case .key(let key?): await handle(key)
        case .line(let line?): take(line: line)
        case .signal(SIGWINCH): redrawAfterResize()
        case .signal(SIGCONT): resume()
        case .signal(SIGINT): interrupt()
        case .signal: break
        case .answer(let event): receive(event)
        case .answerEnded(let error): endAnswer(error)
        case .picture(let event): await receive(event)
        case .painted(let result, let number): if number == painting?.number { endPainting(result) }
        case .enriched(let result, let line): swapIn(result, for: line)
        case .slow(let number): if number == answerCount { showStatus(becauseSlow: true) }
        }
    }

    private func handle(_ key: Key) async {
        if key == .control("c"), isBusy {
            interrupt()
            return
        }
        if await handleByPicture(key) { return }
        let wasEmpty = editor.isEmpty
        let action = editor.handle(key)
        if action != .interrupt, !(wasEmpty && editor.isEmpty) { interrupts = 0 }
        switch action {
        case .redraw: break
        case .submit(let text):
            keep(text)
            // A picture's line stays below the picture until that is done.
            let isShown = !isBusy && ChatCommand.prompt(of: text) == nil
            if isShown {
                drawLine(text: text, isFinal: true)
                output.write(renderer.finish())
            }
            pending.append(PendingLine(text: text, isShown: isShown))
        case .interrupt: interrupt()
        case .end: wantsEnd = true
        case .suspend:
            finishLine()
            expectsContinue = true
            await surroundings.suspend()
        case .openEditor: await editElsewhere()
        case .clearScreen:
            guard answer == nil else { break }
            output.write(renderer.erase() + "\u{1B}[H\u{1B}[2J")
        }
    }

    /// A line that the terminal (or nobody) edited; the editor only joins what stands between `"""`.
    private func take(line: String) {
        _ = editor.handle(Key(.paste(line)))
        guard case .submit(let text) = editor.handle(Key(.enter)) else {
            isPromptShown = false
            return
        }
        if surroundings.inputStyle == .lines { keep(text) }
        pending.append(PendingLine(text: text, isShown: true))
    }

    private func keep(_ text: String) { surroundings.historyFile?.append(text) }

    private func interrupt() {
        if surroundings.inputStyle == .pipe {
            exitCode = 130
            isDone = true
            return
        }
        if isBusy {
            stopAnswer()
            takeBackPending()
            stopPainting()
            return
        }
        interrupts += 1
        editing = nil
        editor.clear()
        isPromptShown = false
        if surroundings.inputStyle == .keys { finishLine() } else { output.write("\n") }
        if interrupts > 1 { say("Control-D or /bye leaves.") }
    }

    /// Brings the lines that wait back into the line, before what is being typed.
    private func takeBackPending() {
        let lines = pending.map(\.text)
        pending = []
        guard surroundings.inputStyle == .keys, !lines.isEmpty else { return }
        let typed = editor.isEmpty ? [] : [editor.text]
        editor.replace(with: (lines + typed).joined(separator: "\n"))
    }
}
