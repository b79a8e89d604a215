import AssistantAPI
import Synchronization

/// A canvas of the daemon, kept up through lost connections: texts go out, events come in.
///
/// Of texts and seeds only the newest that was not sent yet waits. A daemon that was restarted knows the canvas no more;
/// then it is opened anew, and gets the newest ones.
actor CanvasLink {
    enum Event: Sendable {
        case canvas(CanvasEvent)
        /// The connection is lost, or was refused for now, and is being made anew.
        case lost(ClientError)
        /// The daemon refuses the canvas; last.
        case refused(ClientError)
    }

    /// Between two attempts the pause doubles, from this to that.
    private static let shortestPause = Duration.milliseconds(50)
    private static let longestPause = Duration.seconds(2)

    private let client: DaemonClient
    private let draft: CanvasDraft
    /// How often it is tried in a row, where somebody waits who cannot give up; for ever where `nil`.
    private let attemptLimit: Int?
    private let reconnect: @Sendable () async throws -> Void
    private let sleep: @Sendable (Duration) async throws -> Void
    private let receive: @Sendable (Event) -> Void
    private let prompts: AsyncStream<Canvas.Prompt>
    private nonisolated let newest: AsyncStream<Canvas.Prompt>.Continuation
    /// The seed that is wanted, where another one than the draft's was asked for.
    private nonisolated let wantedSeed = Mutex<UInt64?>(nil)
    private let seedChanges: AsyncStream<Void>
    private nonisolated let seedChange: AsyncStream<Void>.Continuation

    private var canvas: Canvas.ID?
    private var lastEventID: String?
    private var text: Canvas.Prompt?
    /// The newest revision that this canvas has.
    private var delivered = 0
    /// The seed that this canvas was given.
    private var deliveredSeed: UInt64?
    /// The newest change of the seed, which waits for the one before it.
    private var changing: Task<Void, any Error>?
    private var pause = shortestPause
    /// Attempts since the last event.
    private var attempts = 0
    private var wasOpened = false
    private var isClosed = false
    /// Who waits for the canvas, by number.
    private var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    private var lastWaiter = 0
    private var refusal: ClientError?
    private var work: [Task<Void, Never>] = []

    /// A link that is not yet made; ``start()`` makes it.
    ///
    /// `reconnect` sees to it that a daemon runs, `receive` is told what happens. After `attemptLimit` attempts in vain,
    /// or where no daemon can be started, the link is refused; without a limit it goes on.
    init(
        client: DaemonClient, draft: CanvasDraft, attemptLimit: Int? = nil,
        reconnect: @escaping @Sendable () async throws -> Void,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        receive: @escaping @Sendable (Event) -> Void
    ) {
        (self.client, self.draft, self.reconnect, self.sleep) = (client, draft, reconnect, sleep)
        (self.attemptLimit, self.receive) = (attemptLimit, receive)
        (prompts, newest) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        (seedChanges, seedChange) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Opens the canvas, and follows it until ``close()``.
    func start() {
        guard work.isEmpty, !isClosed else { return }
        work = [
            Task { await self.follow() }, Task { await self.send() }, Task { await self.sendSeeds() },
        ]
    }

    /// Gives the canvas a text; never waits, and takes the place of an older one that was not sent yet.
    nonisolated func type(_ prompt: Canvas.Prompt) { newest.yield(prompt) }

    /// Has the canvas paint with another seed; never waits, and takes the place of one that was not sent yet.
    nonisolated func take(seed: UInt64) {
        wantedSeed.withLock { $0 = seed }
        seedChange.yield()
    }

    /// Keeps the settled picture of `prompt` with the seed that is wanted, once it is there.
    ///
    /// - Throws: `ClientError`.
    func commit(_ prompt: Canvas.Prompt, _ commit: CanvasCommit) async throws -> CanvasCommitted {
        text = prompt
        let id = try await opened()
        try await deliverSeed(to: id)
        try await deliver(prompt, to: id)
        return try await client.patient(.seconds(24 * 3600)).commit(commit, on: id)
    }

    /// An earlier frame, as it was; `nil` where the newest is to be shown again.
    ///
    /// - Throws: `ClientError`.
    func recall(_ request: FrameBrowser.Request) async throws -> FrameBrowser.Recalled? {
        let id = try await opened()
        let timeline = try await client.timeline(of: id).frames
        guard let entry = FrameBrowser.stop(request.step, from: request.from, in: timeline) else {
            return nil
        }
        let data = try await client.patient(.seconds(600)).frame(entry.number, of: id)
        return FrameBrowser.Recalled(entry: entry, data: data, count: timeline.last?.number ?? 0)
    }

    /// Closes the canvas, as far as the daemon can be reached.
    func close() async {
        isClosed = true
        newest.finish()
        seedChange.finish()
        for task in work { task.cancel() }
        wake()
        for task in work { await task.value }
        if let canvas { try? await client.patient(.seconds(2)).closeCanvas(canvas) }
        canvas = nil
    }

    // MARK: - Following

    private func follow() async {
        while !Task.isCancelled {
            var problem = ClientError.connectionLost
            do {
                let id = try await open()
                try await client.canvasEvents(of: id, after: lastEventID) { number, event in
                    await self.take(event, number)
                }
                // It was closed elsewhere.
                forget()
            } catch ClientError.refused(404, _, _) where canvas != nil {
                forget()
            } catch ClientError.refused(let status, let code, let message) where status < 500 {
                return refuse(.refused(status: status, code: code, message: message))
            } catch ClientError.notRunning {
                forget()
                guard await startDaemon() else { return }
            } catch {
                problem = error as? ClientError ?? .failed(ClientError.sentence(for: error))
                if !Task.isCancelled { receive(.lost(problem)) }
            }
            guard !Task.isCancelled else { return }
            attempts += 1
            if let attemptLimit, attempts >= attemptLimit { return refuse(problem) }
            try? await sleep(pause)
            pause = min(pause * 2, Self.longestPause)
        }
    }

    /// Sees to it that a daemon runs again; false where it was tried in vain and is given up.
    private func startDaemon() async -> Bool {
        guard !Task.isCancelled else { return false }
        receive(.lost(.connectionLost))
        do {
            try await reconnect()
        } catch {
            let problem = error as? ClientError ?? .failed(ClientError.sentence(for: error))
            guard !Task.isCancelled else { return false }
            // Whoever starts daemons has waited for this one long enough.
            guard attemptLimit == nil else {
                refuse(problem)
                return false
            }
            receive(.lost(problem))
        }
        return true
    }

    private func open() async throws -> Canvas.ID {
        // What the lost connection took along, or another canvas got; at first the senders have it.
        if let canvas {
            try await deliverSeed(to: canvas)
            if let text { try await deliver(text, to: canvas) }
            return canvas
        }
        var draft = draft
        if let seed = wantedSeed.withLock({ $0 }) { draft.settings.seed = seed }
        let id = try await client.openCanvas(draft).id
        (canvas, deliveredSeed) = (id, draft.settings.seed)
        wake()
        if wasOpened, let text { try await deliver(text, to: id) }
        wasOpened = true
        return id
    }

    private func forget() { (canvas, lastEventID, delivered, deliveredSeed) = (nil, nil, 0, nil) }

    private func refuse(_ error: ClientError) {
        refusal = error
        wake()
        receive(.refused(error))
    }

    private func take(_ event: CanvasEvent, _ number: String?) {
        if let number { lastEventID = number }
        (pause, attempts) = (Self.shortestPause, 0)
        receive(.canvas(event))
    }

    // MARK: - Sending

    private func send() async {
        for await prompt in prompts {
            text = prompt
            guard let id = try? await opened() else { return }
            // What could not be sent goes to the canvas that is opened anew, or is followed by a newer text.
            try? await deliver(prompt, to: id)
        }
    }

    private func sendSeeds() async {
        for await _ in seedChanges {
            guard let id = try? await opened() else { return }
            try? await deliverSeed(to: id)
        }
    }

    /// Gives the canvas the seed that is wanted; one change at a time, so that none overtakes another.
    private func deliverSeed(to id: Canvas.ID) async throws {
        let earlier = changing
        let change = Task {
            _ = await earlier?.result
            try await self.sendSeed(to: id)
        }
        changing = change
        try await change.value
    }

    private func sendSeed(to id: Canvas.ID) async throws {
        guard canvas == id, let seed = wantedSeed.withLock({ $0 }), seed != deliveredSeed else { return }
        var change = CanvasSettings()
        change.seed = seed
        _ = try await client.change(change, of: id)
        if canvas == id { deliveredSeed = seed }
    }

    private func deliver(_ prompt: Canvas.Prompt, to id: Canvas.ID) async throws {
        guard prompt.revision > delivered else { return }
        try await client.type(prompt, on: id)
        if canvas == id { delivered = max(delivered, prompt.revision) }
    }

    /// The canvas, once there is one.
    ///
    /// - Throws: `ClientError`: why there will be none, or `cancelled` at once when the task is.
    private func opened() async throws -> Canvas.ID {
        while true {
            if let canvas { return canvas }
            if let refusal { throw refusal }
            if isClosed || Task.isCancelled { throw ClientError.cancelled }
            await wait()
        }
    }

    /// Returns when the canvas is there, or never will be, or the task is cancelled.
    private func wait() async {
        lastWaiter += 1
        let number = lastWaiter
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // What was cancelled before it waited is woken by nobody.
                if Task.isCancelled { continuation.resume() } else { waiting[number] = continuation }
            }
        } onCancel: {
            Task { await self.wake(number) }
        }
    }

    private func wake(_ number: Int) { waiting.removeValue(forKey: number)?.resume() }

    private func wake() {
        let woken = waiting.values
        waiting = [:]
        for continuation in woken { continuation.resume() }
    }
}
