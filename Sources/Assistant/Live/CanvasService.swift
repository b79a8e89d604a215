public import AssistantAPI
public import FoundationEssentials
import History
import ImageCodecs
import Logging
import Settings
import Synchronization

/// The canvases: pictures that follow a text while it is typed.
///
/// For example:
/// ```swift
/// let canvas = try await canvases.open(CanvasDraft(), client: "terminal")
/// _ = try canvases.type(Canvas.Prompt(text: "a fox", revision: 1), on: canvas.id)
/// for try await numbered in try canvases.events(of: canvas.id, after: nil) { … }
/// ```
public final class CanvasService: Sendable, MemoryHolder {
    /// How many there may be at once.
    static let limit = 16
    /// One that is new may take the place of another that was idle for so long.
    static let leastIdle = Duration.seconds(60)

    private struct State {
        var canvases: [String: LiveCanvas] = [:]
        var isClosed = false
        /// Looks after the idle ones while there are any.
        var sweep: Task<Void, Never>?
    }

    private let engine: FrameEngine
    private let keeping: PictureKeeping
    private let conversations: ConversationService
    private let measures = StageMeasures()
    private let tally = CanvasTally()
    private let clock: CanvasClock
    private let settings: Configuration.Live
    private let state = Mutex(State())

    init(
        engine: FrameEngine, keeping: PictureKeeping, conversations: ConversationService,
        settings: Configuration.Live = Configuration().live,
        clock: CanvasClock = CanvasClock(ContinuousClock())
    ) {
        self.engine = engine
        self.conversations = conversations
        self.keeping = keeping
        self.settings = settings
        self.clock = clock
    }

    /// What canvases have done since the daemon began.
    public var counters: CanvasCounters { tally.value }

    // MARK: - Canvases

    /// Opens a canvas and begins to load its model.
    ///
    /// - Parameters:
    ///   - draft: Its settings, and the conversation that it belongs to.
    ///   - client: Who opens it.
    ///   - text: What is typed already; it is revision 1.
    /// - Returns: The canvas as it stands.
    /// - Throws: `modelNotFound`, `modelUnusable`, `invalidRequest` naming the field; `queueFull` when there are too many.
    public func open(_ draft: CanvasDraft, client: String, text: String? = nil) async throws -> Canvas {
        if let text { try LiveCanvas.check(text) }
        try makeRoom()
        let canvas = try LiveCanvas(
            id: HistoryStore.makeID(), draft: draft, client: client, engine: engine, clock: clock,
            measures: measures, tally: tally, budget: Double(settings.budget))
        do throws(AssistantError) {
            // Others may have taken the place meanwhile.
            while try !insert(canvas) { try makeRoom() }
            if let text { _ = try canvas.type(Canvas.Prompt(text: text, revision: 1)) }
        } catch {
            _ = canvas.close()
            throw error
        }
        return canvas.canvas
    }

    /// Puts a new canvas among the others; false when there are too many of them.
    private func insert(_ canvas: LiveCanvas) throws(AssistantError) -> Bool {
        let (isOpen, isInserted) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed, state.canvases.count < Self.limit else { return (!state.isClosed, false) }
            state.canvases[canvas.id] = canvas
            if state.sweep == nil { state.sweep = Task { [weak self] in await self?.sweep() } }
            return (true, true)
        }
        guard isOpen else {
            throw AssistantError(.shuttingDown, "The daemon is shutting down.", retryAfter: 2)
        }
        return isInserted
    }

    /// Those that are open, the oldest first.
    public func list() -> [Canvas] {
        state.withLock { Array($0.canvases.values) }.map(\.canvas).sorted { $0.createdAt < $1.createdAt }
    }

    /// - Throws: `notFound`.
    public func canvas(_ id: String) throws(AssistantError) -> Canvas { try find(id).canvas }

    /// Takes what was typed, at once; a text whose revision is no newer than the newest is ignored.
    ///
    /// - Returns: The newest text there is.
    /// - Throws: `notFound`, `invalidRequest` for a text that is too long.
    public func type(_ prompt: Canvas.Prompt, on id: String) throws(AssistantError) -> Canvas.Prompt {
        try find(id).type(prompt)
    }

    /// Changes the settings that are given; everything is rendered anew.
    ///
    /// - Throws: `notFound`, and what `open` throws.
    public func change(_ id: String, _ change: CanvasSettings) throws(AssistantError) -> Canvas {
        try find(id).change(change)
    }

    /// What happens on a canvas; a slow reader loses frames that were replaced, never the newest.
    ///
    /// - Parameters:
    ///   - id: Which one.
    ///   - after: The number of the last event that the reader has seen; `nil` begins anew with the canvas as it is.
    /// - Returns: A stream that ends when the canvas is closed.
    /// - Throws: `notFound`.
    public func events(
        of id: String, after: Int?
    ) throws(AssistantError) -> AsyncThrowingStream<NumberedCanvasEvent, any Error> {
        try find(id).events(after: after)
    }

    /// How the canvas's frames were made, the oldest first.
    ///
    /// - Throws: `notFound`.
    public func timeline(of id: String) throws(AssistantError) -> CanvasTimeline { try find(id).timeline }

    /// A frame's file; one that is no longer kept is rendered again, exactly.
    ///
    /// - Throws: `notFound`, and what a render throws.
    public func frame(_ number: Int, of id: String) async throws -> (format: PictureFormat, data: Data) {
        try await find(id).file(of: number)
    }

    /// A frame as a file to keep: without loss, and with its recipe; the same bytes each time.
    ///
    /// - Throws: `notFound`, and what a render throws.
    public func file(_ number: Int, of id: String, as format: PictureFormat) async throws -> Data {
        let (bitmap, recipe) = try await find(id).picture(of: number)
        return try PictureKeeping.file(bitmap, recipe: recipe, format: format)
    }

    /// Keeps a picture: a frame as it is, or the settled picture of the newest text, which is waited for.
    ///
    /// Where the commit or the canvas names a conversation, the picture becomes a message of it.
    ///
    /// - Throws: `notFound`, `invalidRequest` where there is no text, or where the message cannot be edited; what a render and
    ///   the history throw.
    public func commit(_ id: String, _ commit: CanvasCommit) async throws -> CanvasCommitted {
        let canvas = try find(id)
        let place = commit.conversation ?? canvas.canvas.conversation
        var isPrivate = false
        // A conversation that is gone, and what cannot be edited in it, is found before anything is painted.
        if let place { isPrivate = try await conversations.takesPicture(in: place, edits: commit.edits) }
        let painted = try await canvas.picture(of: commit.frame)
        // Whoever left meanwhile has the text back, and asks again.
        try Task.checkCancellation()
        let picture = try await keeping.keep(painted.bitmap, recipe: painted.recipe, isPrivate: isPrivate)
        var committed = CanvasCommitted(picture: picture)
        if let place {
            committed.messages = try await conversations.append(
                picture: picture, prompt: painted.recipe.prompt, to: place, edits: commit.edits)
        }
        canvas.feed.send(.committed(committed))
        return committed
    }

    /// Closes a canvas; what runs is stopped.
    ///
    /// - Throws: `notFound`.
    public func close(_ id: String) throws(AssistantError) -> Canvas {
        let canvas = try find(id)
        state.withLock { _ = $0.canvases.removeValue(forKey: id) }
        return canvas.close()
    }

    private func find(_ id: String) throws(AssistantError) -> LiveCanvas {
        guard let canvas = state.withLock({ $0.canvases[id] }) else {
            throw AssistantError(.notFound, "There is no canvas \(id.prefix(80)).", parameter: "id")
        }
        return canvas
    }

    // MARK: - Bounds

    var holdings: [MemoryLedger.Holding] {
        state.withLock { Array($0.canvases.values) }.flatMap(\.holdings)
    }

    func release(_ release: MemoryLedger.Release) {
        guard case .canvas(let id) = release.owner else { return }
        let canvas = state.withLock { $0.canvases[id] }
        canvas?.state.withLock { $0.frames.release(release.bytes) }
    }

    /// Makes a place for a new one: when all are taken, what has been idle the longest is closed.
    private func makeRoom() throws(AssistantError) {
        closeIdle()
        let canvases = state.withLock { Array($0.canvases.values) }
        guard canvases.count >= Self.limit else { return }
        let idle = canvases.compactMap { canvas in canvas.idleTime.map { (canvas, $0) } }
        guard let longest = idle.max(by: { $0.1 < $1.1 }), longest.1 >= Self.leastIdle else {
            throw AssistantError(
                .queueFull, "There are \(Self.limit) canvases already, which are all in use.", retryAfter: 60)
        }
        _ = try? close(longest.0.id)
    }

    /// Closes those that have been idle for long.
    private func closeIdle() {
        for canvas in state.withLock({ Array($0.canvases.values) }) {
            if let idle = canvas.idleTime, idle >= settings.idle { _ = try? close(canvas.id) }
        }
    }

    /// Closes idle canvases for as long as there are any.
    private func sweep() async {
        repeat {
            guard (try? await clock.sleep(clock.now() + settings.idle / 2)) != nil else { return }
            closeIdle()
        } while state.withLock { state in
            if state.canvases.isEmpty { state.sweep = nil }
            return state.sweep != nil
        }
    }

    /// Closes all of them, and opens no more.
    func closeAll() {
        let canvases = state.withLock { state in
            state.isClosed = true
            state.sweep?.cancel()
            defer { state.canvases = [:] }
            return state.canvases.values
        }
        for canvas in canvases { _ = canvas.close() }
    }
}
