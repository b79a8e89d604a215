import AssistantAPI

/// What a model sees of a prompt: texts whose signatures are equal have the same picture.
typealias PromptSignature = [Int32]

/// When what is rendered: a state machine without a clock, which is told what happens and says what is to be done.
///
/// One text is the newest and at most one render runs, whatever the rate of changes. Instants are times since the canvas
/// was opened. After every event `action` says what to do now, and `deadline` when to ask again at the latest.
struct CanvasState: Sendable {
    /// A render on its way.
    struct Run: Sendable, Equatable {
        var id: Int
        /// Of the newest text with the same signature.
        var revision: Int
        var text: String
        var signature: PromptSignature
        /// Place in the ladder.
        var stage: Int
        /// Whether it is the settled picture's.
        var isLast: Bool
        var began: Duration
        /// When the text that it renders was typed.
        var keyed: Duration
        /// Whether it began at the end of a word.
        var isWhole: Bool
        var isStopping = false
    }

    enum Action: Sendable, Equatable {
        case render(Run)
        /// Its end is told by `ended` all the same.
        case stop(Run)
        /// Everything is rendered, or there is nothing to render.
        case settle(revision: Int, isEmpty: Bool)
    }

    /// How a render ended.
    enum End: Sendable, Equatable {
        /// With a frame that is seen.
        case shown
        /// It was stopped, or its frame is not wanted any more.
        case stopped
        case failed
    }

    /// The newest text.
    private struct Newest {
        var prompt = Canvas.Prompt()
        var signature: PromptSignature = []
        var isEmpty = true
        /// When it was last changed.
        var keyed = Duration.zero
        /// Whether the last change ended a word.
        var isWhole = true
        /// When text that no render has begun with was first there.
        var waitingSince: Duration?
    }

    let policy: CanvasPolicy
    /// What each stage is expected to take; the last one is the settled picture.
    ///
    /// Empty until that is known.
    private(set) var costs: [Duration] = []
    private(set) var run: Run?
    private(set) var rhythm = TypingRhythm()
    private var newest = Newest()
    /// What has been rendered last; what is settled stays so, also where another ladder has more stages.
    private var done: (signature: PromptSignature, stage: Int, isLast: Bool)?
    /// Since when text has been changed without a frame.
    private var unseenSince: Duration?
    /// The text whose settled picture is being painted to be kept, outside of the canvas's turn.
    private var keeping: PromptSignature?
    private var lastStart: Duration?
    private var lastRun = 0
    private var isSettled = true
    /// Texts that no render ever began with.
    private(set) var skipped = 0

    init(policy: CanvasPolicy = CanvasPolicy()) { self.policy = policy }

    var prompt: Canvas.Prompt { newest.prompt }
    var signature: PromptSignature { newest.signature }
    /// Whether the newest text has nothing to paint.
    var isEmpty: Bool { newest.isEmpty }

    // MARK: - What happens

    /// The text was changed; one that is no newer than the newest is ignored.
    mutating func typed(
        _ prompt: Canvas.Prompt, signature: PromptSignature, isEmpty: Bool, at now: Duration
    ) {
        guard prompt.revision > newest.prompt.revision else { return }
        rhythm.key(at: now)
        let isSame = signature == newest.signature && isEmpty == newest.isEmpty
        let isWhole = TypedChange(from: newest.prompt.text, to: prompt.text).endsWord
        newest.prompt = prompt
        newest.keyed = now
        // A space after a word changes no token, but the word is no longer a half one.
        newest.isWhole = isSame ? newest.isWhole || isWhole : isWhole
        isSettled = false
        if isSame {
            follow()
            return
        }
        if newest.waitingSince != nil { skipped += 1 }
        newest.signature = signature
        newest.isEmpty = isEmpty
        let isKnown = isEmpty || signature == run?.signature || signature == done?.signature
        newest.waitingSince = isKnown ? nil : newest.waitingSince ?? now
        if !isKnown { unseenSince = unseenSince ?? now }
        follow()
    }

    /// The model reads texts otherwise than was assumed before it was loaded.
    mutating func reread(signature: PromptSignature, isEmpty: Bool) {
        newest.signature = signature
        newest.isEmpty = isEmpty
    }

    /// The stages are known, or have changed.
    mutating func setCosts(_ costs: [Duration]) { self.costs = costs }

    /// What was rendered counts no longer, since the settings have changed.
    mutating func startAnew(at now: Duration) {
        done = nil
        isSettled = false
        newest.waitingSince = newest.isEmpty ? nil : now
        newest.isWhole = true
        // A render with the old settings is of no use to anybody.
        run?.signature = []
    }

    /// A render has ended.
    mutating func ended(_ id: Int, _ end: End, at now: Duration) {
        guard let ended = run, ended.id == id else { return }
        run = nil
        // Nothing follows from one with other settings, or for which it was too late.
        guard !ended.signature.isEmpty else { return }
        switch end {
        case .shown: unseenSince = ended.signature == newest.signature ? nil : now
        // It is rendered when it is wanted again.
        case .stopped where ended.isStopping || isOutdated(ended): return
        // The same is not tried again, but what follows is: it may be another matter.
        case .stopped, .failed: break
        }
        done = (ended.signature, ended.stage, ended.isLast)
    }

    /// A render has ended at once, since its text has a settled picture already.
    mutating func recalled(_ id: Int, at now: Duration) {
        guard run?.id == id else { return }
        run?.isLast = true
        ended(id, .shown, at: now)
    }

    /// The render of the newest text's settled picture, as one that is no turn of the canvas.
    func settledRun(at now: Duration) -> Run {
        Run(
            id: 0, revision: newest.prompt.revision, text: newest.prompt.text, signature: newest.signature,
            stage: max(0, costs.count - 1), isLast: true, began: now, keyed: newest.keyed, isWhole: true)
    }

    /// The settled picture of a text is painted to be kept: it is not painted twice, and waits for no better stage.
    mutating func keeps(_ run: Run) { keeping = run.signature }

    /// That picture is there (`isShown`), or never will be.
    mutating func kept(_ run: Run, isShown: Bool) {
        if keeping == run.signature { keeping = nil }
        guard isShown, run.signature == newest.signature else { return }
        done = (newest.signature, run.stage, true)
        unseenSince = nil
        // A draft of it would come too late.
        self.run?.signature = []
    }

    /// Whether the settled picture of the newest text is being rendered.
    var isSettling: Bool {
        guard let run, !run.isStopping, !isOutdated(run) else { return false }
        return run.isLast
    }

    // MARK: - What is to be done

    /// The next thing to do at an instant, which counts as done then; `nil` when nothing more is to be done now.
    mutating func action(at now: Duration) -> Action? {
        guard !costs.isEmpty else { return nil }
        guard let run else { return begin(at: now) }
        guard !run.isStopping, isToStop(run, at: now) else { return nil }
        var stopped = run
        stopped.isStopping = true
        self.run = stopped
        return .stop(stopped)
    }

    /// When to ask for actions again, if nothing happens before; always later than `now`.
    func deadline(after now: Duration) -> Duration? {
        guard !costs.isEmpty else { return nil }
        var instants: [Duration] = []
        if let run {
            // Whether a draft of an older text is stopped is decided when the newer one is due, and once more when it is
            // late; one that goes on then goes on to its end.
            if !run.isStopping, isOutdated(run), run.stage == 0 { instants = [due, run.began + lateness] }
        } else if !isOver, !isKept {
            instants = [doneStage == nil ? due : refinementDue]
        }
        return instants.filter { $0 > now }.min()
    }

    private mutating func begin(at now: Duration) -> Action? {
        if isOver {
            guard !isSettled else { return nil }
            isSettled = true
            unseenSince = nil
            return .settle(revision: newest.prompt.revision, isEmpty: newest.isEmpty)
        }
        guard !isKept, now >= (doneStage == nil ? due : refinementDue) else { return nil }
        lastRun += 1
        let run = Run(
            id: lastRun, revision: newest.prompt.revision, text: newest.prompt.text,
            signature: newest.signature, stage: nextStage, isLast: nextStage == costs.count - 1, began: now,
            keyed: newest.keyed, isWhole: newest.isWhole)
        self.run = run
        lastStart = now
        newest.waitingSince = nil
        return .render(run)
    }

    /// The stage in which the newest text was rendered last.
    private var doneStage: Int? { done.flatMap { $0.signature == newest.signature ? $0.stage : nil } }

    /// The stage in which it is rendered next, if it is.
    private var nextStage: Int { min(doneStage.map { $0 + 1 } ?? 0, costs.count - 1) }

    /// Whether nothing is left to render.
    private var isOver: Bool { newest.isEmpty || doneStage != nil && done?.isLast == true }

    /// Whether the newest text has a draft, and its settled picture comes without a render.
    private var isKept: Bool { keeping == newest.signature && doneStage != nil }

    private func isOutdated(_ run: Run) -> Bool { newest.isEmpty || run.signature != newest.signature }

    /// When the newest text is rendered that has no frame yet.
    private var due: Duration {
        let quiet =
            newest.isWhole ? .zero : policy.quietPeriod(cost: costs.first ?? .zero, gap: rhythm.gap)
        let wanted = min(newest.keyed + quiet, (newest.waitingSince ?? newest.keyed) + policy.cap)
        return max(wanted, lastStart.map { $0 + policy.shortestInterval } ?? wanted)
    }

    /// When the newest text, which has a frame, is rendered in a better stage.
    private var refinementDue: Duration {
        newest.keyed + policy.pause(cost: costs[nextStage], gap: rhythm.gap)
    }

    // MARK: - Whether to stop

    private func isToStop(_ run: Run, at now: Duration) -> Bool {
        guard isOutdated(run) else {
            // The settled picture that is to be kept would have to wait for a better stage.
            return keeping == run.signature && run.stage > 0 && !run.isLast && !isNearlyDone(run, at: now)
        }
        // Nothing is wanted any more, or the picture that is wanted is still to be seen.
        let isNeedless = isOver || run.stage > 0
        return isNeedless || now >= due && !isWorthFinishing(run, at: now)
    }

    /// Beyond so much time a render is so late that nothing is known about its end.
    private var lateness: Duration { (costs.first ?? .zero) * 3 / 2 }

    /// Whether a draft of an older text goes on although a newer one is due: because it is nearly done, or because the
    /// person would otherwise see nothing for too long.
    private func isWorthFinishing(_ run: Run, at now: Duration) -> Bool {
        let cost = costs.first ?? .zero
        let patience = policy.patience(cost: cost, isWhole: run.isWhole)
        if let unseenSince, now > unseenSince + patience { return true }
        return isNearlyDone(run, at: now)
    }

    /// Whether a render, unless it is late, ends sooner than it is worth to stop it.
    private func isNearlyDone(_ run: Run, at now: Duration) -> Bool {
        let (cost, spent) = (costs[min(run.stage, costs.count - 1)], now - run.began)
        return spent < cost * 3 / 2 && cost - spent <= policy.stopTime(cost: cost)
    }

    /// A render of the newest text goes on for it, whatever its revision was.
    private mutating func follow() {
        guard var run, run.signature == newest.signature, !newest.isEmpty else { return }
        run.revision = newest.prompt.revision
        self.run = run
    }
}
