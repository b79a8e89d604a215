import AssistantAPI
import Synchronization
import Tokenizers

/// The engine's front door: who waits, who is being served, and whether the engine is awake.
///
/// Answers and pictures stand in two lines, so that a picture that takes minutes keeps no question waiting.
/// Everything here answers at once, whatever the engine computes.
final class EngineGate: Sendable {
    /// A model in memory, or on its way there.
    struct Resident {
        /// Of its loading; no two have the same.
        var number = 0
        var model: ModelFile
        var state: ModelSummary.State
        /// Of a chat model, once loaded.
        var tokenizer: Tokenizer?
        /// Of a chat model, once loaded: the longest sequence that it takes here, in tokens.
        var contextLength: Int?
    }

    struct State {
        var answers: EngineQueue<EngineRequest>
        var pictures: EngineQueue<PictureJob>
        fileprivate var drafts = DraftLine<EngineRequest>()
        /// Frames of canvases: what somebody who types waits for, and the better ones.
        var draftFrames: EngineQueue<FrameJob>
        var refinements: EngineQueue<FrameJob>
        fileprivate var isAwake = false
        fileprivate var isClosed = false
        /// Of each kind the one that works, or was the last to, goes before the others.
        fileprivate var residents: [Resident] = []
        fileprivate var idleWaiters: [CheckedContinuation<Void, Never>] = []

        fileprivate func tellPlaces() {
            answers.tellPlaces(resident: resident(.chat)?.model)
            pictures.tellPlaces(resident: resident(.picture)?.model)
        }

        fileprivate func resident(_ kind: ModelSummary.Kind) -> Resident? {
            residents.first { $0.model.kind == kind }
        }

        /// Drops the draft of a conversation whose message has come, and stops the loading of another model.
        fileprivate mutating func drop(draftsFor job: some EngineJob) {
            if let draft = drafts.next, draft.model != job.model { draft.cancel() }
            if let request = job as? EngineRequest, let owner = request.owner {
                drafts.remove(conversation: owner)
            }
        }
    }

    /// How many frames of a rank may wait.
    private static let frameDepth = 64

    private let state: Mutex<State>

    /// Up to `runningLimit` requests are answered at the same time, a token of each in turn; one picture is painted.
    init(depth: Int, runningLimit: Int) {
        state = Mutex(
            State(
                answers: EngineQueue(depth: depth, runningLimit: runningLimit, typicalSeconds: 5),
                pictures: EngineQueue(depth: depth, runningLimit: 1, typicalSeconds: 30),
                // Every canvas has one frame here at most, beside those that are kept.
                draftFrames: EngineQueue(depth: Self.frameDepth, runningLimit: 1, typicalSeconds: 1),
                refinements: EngineQueue(depth: Self.frameDepth, runningLimit: 1, typicalSeconds: 5)))
    }

    /// The chat model that answers, or was the last to.
    var resident: Resident? { resident(.chat) }

    func resident(_ kind: ModelSummary.Kind) -> Resident? { state.withLock { $0.resident(kind) } }

    func resident(of model: ModelFile) -> Resident? {
        state.withLock { $0.residents.first { $0.model == model } }
    }

    /// All models in memory, and those on their way there.
    var residents: [Resident] { state.withLock { $0.residents } }

    func setResidents(_ residents: [Resident]) { state.withLock { $0.residents = residents } }

    /// Puts a request into its line.
    ///
    /// - Returns: whether the engine must be woken up.
    /// - Throws: `queueFull` with a time to try again, `shuttingDown`.
    func admit<Job: EngineJob>(_ job: Job) throws(AssistantError) -> Bool {
        let result = state.withLock { state -> Result<Bool, AssistantError> in
            if state.isClosed {
                return .failure(AssistantError(.shuttingDown, "The daemon is shutting down.", retryAfter: 2))
            }
            guard state[keyPath: job.queue].append(job) else {
                return .failure(state[keyPath: job.queue].full)
            }
            state.tellPlaces()
            state.drop(draftsFor: job)
            defer { state.isAwake = true }
            return .success(!state.isAwake)
        }
        return try result.get()
    }

    // MARK: - Drafts

    /// Takes what is being typed in a conversation, in place of what was before.
    ///
    /// - Returns: whether the engine must be woken up.
    func put(_ draft: EngineRequest) -> Bool {
        state.withLock { state in
            guard !state.isClosed, let owner = draft.owner else { return false }
            state.drafts.put(draft, id: draft.id, conversation: owner)
            defer { state.isAwake = true }
            return !state.isAwake
        }
    }

    /// What is to be evaluated ahead, the newest first.
    var waitingDrafts: [EngineRequest] { state.withLock { $0.drafts.newestFirst } }

    /// Ends the work on a draft; a newer one of its conversation stays.
    func isDone(draft: EngineRequest) { state.withLock { $0.drafts.remove(id: draft.id) } }

    /// Drops what was typed in a conversation.
    func dropDraft(of conversation: String) {
        state.withLock { $0.drafts.remove(conversation: conversation) }
    }

    /// Whether anything is asked for, but for drafts.
    var hasJobs: Bool {
        state.withLock { state in
            !state.answers.line.isEmpty || !state.answers.running.isEmpty || !state.pictures.line.isEmpty
                || !state.draftFrames.line.isEmpty || !state.refinements.line.isEmpty
        }
    }

    // MARK: - Turns

    /// The next question to answer, which counts as running from now on.
    ///
    /// Only one for `model` is handed out, unless nothing is being answered.
    func next(for model: ModelFile?) -> EngineRequest? { state.withLock { $0.answers.next(for: model) } }

    /// The next pictures to paint, which count as running from now on; none while others are being painted.
    func nextPicture() -> PictureJob? { state.withLock { $0.pictures.next(for: nil) } }

    /// The next frame to paint, which counts as running from now on: drafts go before better stages.
    ///
    /// Only frames that go before `rank` (`nil`: all) are handed out, and of these the first that is accepted.
    func nextFrame(
        above rank: FrameEngine.Request.Rank?, where accepts: (FrameJob) -> Bool
    ) -> FrameJob? {
        state.withLock { state in
            // One that is not accepted keeps no other canvas waiting.
            if rank != .draft {
                for job in state.draftFrames.line.nextOfLanes where accepts(job) {
                    return state.draftFrames.begin(job)
                }
            }
            if rank == nil {
                for job in state.refinements.line.nextOfLanes where accepts(job) {
                    return state.refinements.begin(job)
                }
            }
            return nil
        }
    }

    /// What may be served within the work on a picture.
    struct Waiting {
        /// Whether a question waits or is being answered.
        var hasAnswers: Bool
        /// Whether a frame waits that goes before the work and is accepted.
        var hasFrames: Bool
        /// Whether somebody types; never beside a draft frame, which takes no longer than a draft's piece.
        var hasDraft: Bool
    }

    /// Who waits for something that goes before a frame of `rank` (`nil`: before other pictures).
    func waiting(above rank: FrameEngine.Request.Rank?, where accepts: (FrameJob) -> Bool) -> Waiting {
        state.withLock { state in
            let drafts = rank == .draft ? [] : state.draftFrames.line.nextOfLanes
            let frames = rank == nil ? drafts + state.refinements.line.nextOfLanes : drafts
            return Waiting(
                hasAnswers: !state.answers.line.isEmpty || !state.answers.running.isEmpty,
                hasFrames: frames.contains(where: accepts),
                hasDraft: rank != .draft && !state.drafts.isEmpty)
        }
    }

    /// How many requests are served, and how many wait.
    var load: (answers: AssistantMetrics.Load, pictures: AssistantMetrics.Load) {
        state.withLock { state in
            (
                .init(running: state.answers.running.count, waiting: state.answers.line.count),
                .init(running: state.pictures.running.count, waiting: state.pictures.line.count)
            )
        }
    }

    /// Whether somebody waits for pictures.
    var hasWaitingPictures: Bool { state.withLock { !$0.pictures.line.isEmpty } }

    /// Ends a running request's place.
    func isDone<Job: EngineJob>(_ job: Job) {
        state.withLock { state in
            if state[keyPath: job.queue].end(job) { state.tellPlaces() }
        }
    }

    /// Stops a request: one that waits leaves the line at once, a running one is told.
    func cancel<Job: EngineJob>(_ job: Job) {
        job.cancel()
        let waiting = state.withLock { state in
            let removed = state[keyPath: job.queue].remove(job)
            if removed != nil { state.tellPlaces() }
            return removed
        }
        waiting?.finishUntouched()
    }

    /// Whether the engine may sleep; if so, the next `admit` asks to wake it up.
    func sleep() -> Bool {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>]? in
            guard state.answers.line.isEmpty, state.pictures.line.isEmpty, state.draftFrames.line.isEmpty,
                state.refinements.line.isEmpty, state.drafts.isEmpty
            else { return nil }
            state.isAwake = false
            defer { state.idleWaiters = [] }
            return state.idleWaiters
        }
        guard let waiters else { return false }
        for waiter in waiters { waiter.resume() }
        return true
    }

    /// Waits until nothing runs and nothing waits.
    func idle() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.isAwake { state.idleWaiters.append(continuation) }
                return !state.isAwake
            }
            if isIdle { continuation.resume() }
        }
    }

    /// - Throws: `queueFull` when a question that came now would be refused.
    func checkRoom() throws(AssistantError) {
        let error = state.withLock { $0.answers.line.isFull ? $0.answers.full : nil }
        if let error { throw error }
    }

    /// Takes no more requests.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.drafts.removeAll()
        }
    }

    /// Stops everything that runs or waits.
    func cancelAll() {
        let state = state.withLock { state in
            state.drafts.removeAll()
            defer {
                _ = (state.answers.removeAll(), state.pictures.removeAll())
                _ = (state.draftFrames.removeAll(), state.refinements.removeAll())
            }
            return state
        }
        for request in state.answers.line.inOrder { request.finishUntouched() }
        for job in state.pictures.line.inOrder { job.finishUntouched() }
        for request in state.answers.running.values { request.cancel() }
        for job in state.pictures.running.values { job.cancel() }
        for frames in [state.draftFrames, state.refinements] {
            for job in frames.line.inOrder { job.finishUntouched() }
            for job in frames.running.values { job.cancel() }
        }
    }
}
