import AssistantAPI

/// A picture that follows a text in a session: its canvas, its newest frame as it is drawn, and what is told of both.
///
/// Frames are decoded and drawn elsewhere, the newest only, so that keys never wait for them.
struct LivePicture {
    enum Event: Sendable {
        case link(CanvasLink.Event)
        /// A frame is ready for the screen.
        case drawn(CanvasEvent.Frame, LiveScreen.Picture)
        /// An earlier frame came, or none.
        case recalled(Result<FrameBrowser.Recalled?, ClientError>, for: FrameBrowser.Request)
    }

    /// What is to be drawn.
    private struct Job: Sendable {
        var frame: CanvasEvent.Frame
        var display: FrameDisplay
        var area: CellArea
        var id: UInt32
        /// Counts what was asked to be drawn.
        var number: Int
    }

    let link: CanvasLink
    private var display: FrameDisplay?
    private let receive: @Sendable (Event) -> Void
    private let painter: NewestSender<Job>?
    /// Told when a drawn frame was taken, so that no more wait than a slow terminal can show.
    private let taken: AsyncStream<Void>.Continuation

    var status = LiveStatus()
    /// The newest frame that was drawn.
    private(set) var picture: LiveScreen.Picture?
    /// The text as it stands.
    private(set) var prompt = Canvas.Prompt()
    private(set) var notice: String?
    /// The noise that frames begin with.
    private(set) var seed: UInt64
    /// The earlier frame that is looked at.
    var recalled: FrameBrowser.Recalled? { browser.shown }
    /// An earlier frame is on its way.
    var isLookingBack: Bool { browser.isFetching }

    private var browser = FrameBrowser() {
        didSet { status.isLookingBack = browser.isFetching }
    }
    private var frame: CanvasEvent.Frame?
    /// The last frame of the picture before, which may come after it was kept: of the same text the canvas sends none
    /// again.
    private var earlierFrame: CanvasEvent.Frame?
    /// Of the settled picture.
    private var size: PictureSize?
    /// The first revision that belongs to the current picture.
    private var firstRevision = 0
    /// The newest job whose drawing came.
    private var lastDrawn = 0
    /// The frame of it.
    private var lastShown = 0
    private var jobCount = 0
    private var id = TerminalGraphics.makeID()

    /// A picture on a canvas that is opened at once.
    init(
        client: DaemonClient, settings: CanvasSettings, display: FrameDisplay?,
        reconnect: @escaping @Sendable () async throws -> Void,
        receive: @escaping @Sendable (Event) -> Void
    ) {
        var settings = settings
        seed = settings.seed ?? 0
        settings.format = display?.format ?? .webp
        link = CanvasLink(
            client: client, draft: CanvasDraft(settings: settings), reconnect: reconnect,
            receive: { receive(.link($0)) })
        self.display = display
        self.receive = receive
        let (ready, taken) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.taken = taken
        taken.yield()
        painter = display.map { _ in
            NewestSender(priority: .utility) { job in
                let (file, display) = (Array(job.frame.data), job.display)
                guard let picture = display.draw(file, number: job.number, area: job.area, id: job.id) else {
                    return
                }
                for await _ in ready { break }
                receive(.drawn(job.frame, picture))
            }
        }
        let link = link
        Task { await link.start() }
    }

    /// The text was changed; false where it says the same.
    @discardableResult
    mutating func type(_ text: String, at now: Duration) -> Bool {
        let text = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        // The same text as the picture's before is a picture of its own.
        guard text != prompt.text || prompt.revision < firstRevision else { return false }
        leaveBrowser()
        prompt = Canvas.Prompt(text: text, revision: prompt.revision + 1)
        status.type(revision: prompt.revision, at: now)
        link.type(prompt)
        return true
    }

    /// Paints with the next seed, or the one before.
    mutating func changeSeed(by step: Int) {
        seed = step > 0 ? seed &+ 1 : seed == 0 ? 0 : seed - 1
        leaveBrowser()
        link.take(seed: seed)
    }

    /// Takes in what happened, within a window that has that `room` for a picture.
    mutating func receive(_ event: Event, at now: Duration, room: TerminalOutput.Size) {
        switch event {
        case .link(.canvas(let event)): receive(event, at: now, room: room)
        case .link(.lost(let error)): status.loseConnection(error)
        case .link(.refused(let error)): status.fail(error.description)
        case .drawn(let frame, let picture):
            taken.yield()
            // Of an earlier text or another window: those are over.
            guard picture.number > lastDrawn else { return }
            if let recalled {
                guard frame.number == recalled.entry.number else { return }
                (lastDrawn, self.picture) = (picture.number, picture)
                return
            }
            guard frame.revision >= firstRevision else { return }
            if frame.number != lastShown { status.show(frame, at: now) }
            (lastDrawn, lastShown, self.picture) = (picture.number, frame.number, picture)
        case .recalled(.success(let recalled), let request):
            if let next = browser.receive(recalled, for: request) { fetch(next) }
            draw(in: room)
        case .recalled(.failure(let error), _):
            leaveBrowser()
            status.fail(error.description)
            draw(in: room)
        }
    }

    private mutating func receive(_ event: CanvasEvent, at now: Duration, room: TerminalOutput.Size) {
        if case .settled(let settled) = event, let frame = unchangedFrame(settled) {
            receive(CanvasEvent.frame(frame), at: now, room: room)
        }
        status.receive(event)
        switch event {
        case .canvas(let canvas):
            let (settings, settled) = (canvas.settings, canvas.stages.last)
            if let width = settled?.width ?? settings.width, let height = settled?.height ?? settings.height {
                size = PictureSize(width: max(1, width), height: max(1, height))
            }
        case .frame(let frame) where frame.revision >= firstRevision && frame.width > 0 && frame.height > 0:
            self.frame = frame
            if painter == nil {
                status.show(frame, at: now)
            } else if recalled == nil, room.rows > 0 {
                status.beginDrawing(revision: frame.revision)
            }
            if recalled == nil { draw(in: room) }
        case .frame(let late) where late.revision < firstRevision: earlierFrame = late
        case .notice(let notice): self.notice = TextSanitizer.line(notice.message)
        case .progress: notice = nil
        default: break
        }
    }

    /// The frame of a text that was settled without one, since it is the text of the picture before.
    private func unchangedFrame(_ settled: CanvasEvent.Settled) -> CanvasEvent.Frame? {
        guard frame == nil, settled.revision >= firstRevision, !status.hasFailed,
            var unchanged = earlierFrame, unchanged.number == settled.frame
        else { return nil }
        (unchanged.revision, unchanged.step) = (settled.revision, 0)
        return unchanged
    }

    // MARK: - Looking back

    /// Shows an earlier frame instead of the newest, or goes on from there.
    mutating func browse(_ step: FrameBrowser.Step) {
        // From the newest frame there is no way forth.
        guard step.count < 0 || recalled != nil else { return }
        if let request = browser.go(step) { fetch(request) }
    }

    /// Shows the newest frame again.
    mutating func stopBrowsing(room: TerminalOutput.Size) {
        leaveBrowser()
        draw(in: room)
    }

    private mutating func leaveBrowser() {
        browser.leave()
        // Of the text as it stands there may be none yet.
        if frame == nil { picture = nil }
    }

    private func fetch(_ request: FrameBrowser.Request) {
        let (link, receive) = (link, receive)
        Task { receive(.recalled(await Result { try await link.recall(request) }, for: request)) }
    }

    /// The window has another size, or its characters have: what was drawn is of no use, and the frame is drawn anew.
    mutating func resize(to room: TerminalOutput.Size, display: FrameDisplay?) {
        self.display = display
        picture = nil
        lastDrawn = jobCount
        draw(in: room)
    }

    /// Shows a picture as it was kept, in the place of the frames.
    ///
    /// It is drawn here and now: keys wait while a picture is kept.
    mutating func show(_ kept: Picture, file: [UInt8], room: TerminalOutput.Size) {
        guard let display, room.rows > 0 else { return }
        jobCount += 1
        let size = size ?? PictureSize(width: max(1, kept.width), height: max(1, kept.height))
        let drawn = display.draw(file, number: jobCount, area: display.area(of: size, in: room), id: id)
        // What cannot be drawn leaves the newest frame.
        if let drawn { (picture, lastDrawn) = (drawn, jobCount) }
    }

    /// The picture stays as it is, and the next text begins another one.
    mutating func beginAnew() {
        earlierFrame = frame ?? earlierFrame
        (picture, frame, notice, lastShown) = (nil, nil, nil, 0)
        browser.leave()
        firstRevision = prompt.revision + 1
        id = TerminalGraphics.makeID()
        status.beginAnew()
    }

    /// The earlier picture stays as it is, and the newest is shown again below it.
    mutating func goOn(room: TerminalOutput.Size) {
        picture = nil
        lastDrawn = jobCount
        id = TerminalGraphics.makeID()
        status.isKeeping = false
        stopBrowsing(room: room)
    }

    private mutating func draw(in room: TerminalOutput.Size) {
        guard let frame = recalled.map({ $0.entry.event(data: $0.data) }) ?? frame, let display, let painter,
            room.rows > 0
        else { return }
        jobCount += 1
        let area = display.area(
            of: size ?? PictureSize(width: frame.width, height: frame.height), in: room)
        painter.send(Job(frame: frame, display: display, area: area, id: id, number: jobCount))
    }
}
