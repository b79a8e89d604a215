import AssistantAPI
import FoundationEssentials
import ImageCodecs
import Synchronization

/// One canvas: drives `CanvasState` with a clock and the engine, and tells its readers what comes of it.
///
/// Everything that a client asks is answered at once; renders run in tasks of their own.
final class LiveCanvas: Sendable {
    let id: String
    let createdAt: Date
    let feed = CanvasFeed()
    let engine: FrameEngine
    let clock: CanvasClock
    let measures: StageMeasures
    let tally: CanvasTally
    /// Milliseconds from a key to its first frame, where the canvas names none.
    let budget: Double
    let client: String
    let state: Mutex<State>

    struct State {
        var machine = CanvasState()
        var settings: CanvasSettings
        var startPictures: StartPictures
        var facts: FrameEngine.Facts
        var conversation: Conversation.ID?
        var stages: [CanvasStage] = []
        /// The settled picture with the model's own defaults, once the model was loaded.
        var outline: PictureOutline?
        var frames = CanvasFrames()
        /// The frame that readers see now.
        var shown: (number: Int, signature: PromptSignature)?
        var running: (run: Int, work: FrameEngine.Running)?
        /// Who waits for the end of the render on its way.
        var waiting: [CheckedContinuation<Void, Never>] = []
        /// Pictures that are painted to be kept.
        var keepings: [Keeping] = []
        var alarm: (deadline: Duration, task: Task<Void, Never>)?
        /// What gets the model ready, while it does.
        var probe: (number: Int, work: FrameEngine.Running)?
        var lastProbe = 0
        /// When to try again after the model could not be made ready.
        var retry = LoadRetry()
        var lastTouch: Duration
        var isClosed = false
    }

    /// A settled picture that is painted to be kept.
    struct Keeping {
        var signature: PromptSignature
        var settings: CanvasSettings
        /// Who wants the same one; `nil` tells them that it is not to be had from here.
        var waiting: [CheckedContinuation<FinishedFrame?, Never>] = []
    }

    init(
        id: String, draft: CanvasDraft, client: String, engine: FrameEngine, clock: CanvasClock,
        measures: StageMeasures, tally: CanvasTally, budget: Double
    ) throws(AssistantError) {
        self.id = id
        self.client = client
        self.engine = engine
        self.clock = clock
        self.measures = measures
        self.tally = tally
        self.budget = budget
        createdAt = Date()
        let start = try StartPicture.read(draft.settings.initImage)
        let facts = try engine.check(draft.settings.request(text: ""), start)
        state = Mutex(
            State(
                settings: draft.settings, startPictures: StartPictures(start),
                facts: facts, conversation: draft.conversation,
                lastTouch: clock.now()))
        state.withLock { prepare(&$0) }
    }

    var canvas: Canvas { state.withLock { record($0) } }

    func record(_ state: State) -> Canvas {
        var settings = state.settings
        settings.initImage = nil
        return Canvas(
            id: id, prompt: state.machine.prompt, settings: settings, stages: state.stages,
            initImage: state.startPictures.current?.hash, conversation: state.conversation,
            createdAt: createdAt)
    }

    /// How long nobody has typed, and nobody reads.
    var idleTime: Duration? {
        feed.readerCount > 0 ? nil : clock.now() - state.withLock { $0.lastTouch }
    }

    /// What its frames and start pictures take: frames that were replaced, and the rest.
    var holdings: [MemoryLedger.Holding] {
        state.withLock { state in
            let idle = state.frames.idleByteCount
            let all = state.frames.byteCount + state.startPictures.byteCount
            let owner = MemoryLedger.Owner.canvas(id)
            return [
                .init(owner: owner, kind: .frames, bytes: idle, lastUse: state.lastTouch),
                .init(owner: owner, kind: .frames, bytes: all - idle, isInUse: true),
            ]
        }
    }

    // MARK: - What clients ask

    /// Takes a newer text; the answer is the newest one there is.
    func type(_ prompt: Canvas.Prompt) throws(AssistantError) -> Canvas.Prompt {
        try Self.check(prompt.text)
        let now = clock.now()
        return state.withLock { state in
            let signature = measures.signature(of: prompt.text, for: state.facts.model)
            tally.count {
                $0.texts += 1
                if signature == state.machine.signature { $0.unchanged += 1 }
            }
            let skipped = state.machine.skipped
            state.machine.typed(
                prompt, signature: signature, isEmpty: prompt.text.allSatisfy(\.isWhitespace), at: now)
            if state.machine.skipped > skipped { tally.count { $0.skipped += 1 } }
            state.lastTouch = now
            if state.retry.isDue(at: now) { prepare(&state) }
            act(&state)
            return state.machine.prompt
        }
    }

    /// - Throws: `invalidRequest` for a text that is too long.
    static func check(_ text: String) throws(AssistantError) {
        guard text.utf8.count > PicturePlan.promptBytes else { return }
        throw AssistantError(
            .invalidRequest, "The text is longer than \(PicturePlan.promptBytes) bytes.", parameter: "text")
    }

    /// Changes the settings that are given; everything is rendered anew.
    func change(_ change: CanvasSettings) throws(AssistantError) -> Canvas {
        let picture = try StartPicture.read(change.initImage)
        var (settings, start) = state.withLock { ($0.settings.merging(change), $0.startPictures.current) }
        while true {
            if change.initImage != nil { start = picture }
            let facts = try engine.check(settings.request(text: ""), start)
            let checked = settings
            let canvas = state.withLock { state -> Canvas? in
                // What somebody else has changed meanwhile stays, and is to be checked together with this.
                (settings, start) = (state.settings.merging(change), state.startPictures.current)
                guard settings == checked else { return nil }
                if change.initImage != nil { state.startPictures.begin(with: picture) }
                return begin(with: checked, facts, &state)
            }
            if let canvas { return canvas }
        }
    }

    /// Goes on with other settings, of which nothing that was rendered is left.
    private func begin(
        with settings: CanvasSettings, _ facts: FrameEngine.Facts, _ state: inout State
    ) -> Canvas {
        state.settings = settings
        state.facts = facts
        state.lastTouch = clock.now()
        state.frames.settingsChanged()
        state.shown = nil
        state.stages = []
        state.outline = nil
        state.machine.setCosts([])
        state.machine.startAnew(at: clock.now())
        state.probe?.work.cancel()
        state.running?.work.cancel()
        state.retry.forget()
        let canvas = record(state)
        feed.send(.canvas(canvas))
        prepare(&state)
        act(&state)
        return canvas
    }

    func events(after: Int?) -> CanvasFeed.Stream {
        state.withLock { state in
            state.lastTouch = clock.now()
            return feed.events(after: after, canvas: record(state))
        }
    }

    var timeline: CanvasTimeline { state.withLock { $0.frames.timeline } }

    /// Ends it; what runs is stopped.
    func close() -> Canvas {
        let canvas = state.withLock { state in
            state.isClosed = true
            state.probe?.work.cancel()
            state.running?.work.cancel()
            state.alarm?.task.cancel()
            state.alarm = nil
            return record(state)
        }
        feed.close()
        return canvas
    }
}
