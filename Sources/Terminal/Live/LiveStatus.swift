import AssistantAPI

/// What a person is told about the picture that follows a text, from the events of its canvas.
///
/// Times are counted from the session's beginning; they are handed in, so that this is a value that tests can drive.
struct LiveStatus: Sendable {
    enum Phase: Sendable, Equatable {
        /// Nothing was heard yet.
        case connecting
        /// The connection was lost, or is refused for now, for this reason where one was given.
        case reconnecting(because: String?)
        case loading(fraction: Double)
        /// Nothing is being painted.
        case idle
        case painting(CanvasStage.Name, step: Int, steps: Int)
        case failed(String)
    }

    private(set) var phase = Phase.connecting
    /// The newest text could not be painted.
    var hasFailed: Bool { if case .failed = phase { true } else { false } }
    /// The person wants the picture kept, and it is waited for.
    var isKeeping = false
    /// The chat model was asked for more words.
    var isEnriching = false
    /// An earlier frame is on its way.
    var isLookingBack = false
    /// From a key to the first frame of what it typed, as it was last.
    private(set) var latency: Duration?
    /// From a text's last key to its settled picture, as it was last.
    private(set) var settlingTime: Duration?
    /// Frames that were shown.
    private(set) var frameCount = 0
    /// Renders that a newer text stopped.
    private(set) var supersededCount = 0
    /// Texts that neither a frame was shown of nor a render was stopped.
    private(set) var skippedCount = 0
    /// Steps that these did not need, of those that a start from noise takes each time.
    private(set) var stepsSaved = 0
    /// Size and stage of the shown frame.
    private(set) var shown: Shown?
    private(set) var seed: UInt64?

    struct Shown: Sendable, Equatable {
        var width: Int
        var height: Int
        var stage: CanvasStage.Name
        var isSettled: Bool
    }

    /// When the revisions were typed that no frame was shown of yet, the oldest first.
    private var typed: [(revision: Int, at: Duration)] = []
    /// The newest text, until it has settled.
    private var unsettled: (revision: Int, at: Duration)?
    /// More of them cannot matter to a person.
    private static let typedLimit = 256
    private var failedRevision: Int?
    /// The newest revision that a frame came of; the frame is drawn aside and may be shown after the text has settled.
    private var drawnRevision = -1

    /// A text was typed.
    mutating func type(revision: Int, at now: Duration) {
        typed.append((revision, now))
        unsettled = (revision, now)
        if typed.count > Self.typedLimit { typed.removeFirst() }
    }

    /// The connection to the daemon was lost, or it refuses for now, in its own words.
    mutating func loseConnection(_ error: ClientError = .connectionLost) {
        switch error {
        case .refused, .foreignServer, .daemonNotFound, .daemonFailed, .daemonStillBusy:
            phase = .reconnecting(because: error.description)
        default: phase = .reconnecting(because: nil)
        }
    }

    mutating func fail(_ message: String) { phase = .failed(message) }

    /// The next text begins another picture.
    mutating func beginAnew() {
        (isKeeping, shown) = (false, nil)
        (latency, settlingTime, unsettled) = (nil, nil, nil)
        if case .failed = phase { phase = .idle }
    }

    /// Takes in an event; frames count when they are shown.
    mutating func receive(_ event: CanvasEvent) {
        switch event {
        case .canvas(let canvas):
            seed = canvas.settings.seed
            switch phase {
            case .connecting, .reconnecting: phase = .idle
            default: break
            }
        case .loading(let loading): phase = .loading(fraction: loading.fraction)
        case .progress(let progress):
            let steps = max(0, min(progress.steps, 1_000_000))
            phase = .painting(progress.stage, step: max(0, min(progress.step, steps)), steps: steps)
        case .settled(let settled):
            // A text that cannot be painted is settled too, and the reason stays.
            if settled.revision != failedRevision { phase = .idle }
            forget(upTo: settled.revision == drawnRevision ? settled.revision - 1 : settled.revision)
            // Nothing was painted anew, and nothing will be.
            if let unsettled, unsettled.revision <= settled.revision, settled.revision != drawnRevision {
                self.unsettled = nil
            }
        case .superseded(let superseded):
            phase = .idle
            supersededCount += 1
            typed.removeAll { $0.revision == superseded.revision }
        case .failed(let failure):
            phase = .failed(failure.error.message)
            failedRevision = failure.revision
            forget(upTo: failure.revision)
        case .closed: loseConnection()
        case .frame, .notice, .committed: break
        }
    }

    /// A frame of this revision came and is being drawn.
    mutating func beginDrawing(revision: Int) { drawnRevision = max(drawnRevision, revision) }

    /// A frame was drawn.
    mutating func show(_ frame: CanvasEvent.Frame, at now: Duration) {
        frameCount += 1
        stepsSaved += max(0, min(frame.steps, 1_000_000) - max(0, frame.step))
        shown = Shown(
            width: frame.width, height: frame.height, stage: frame.stage, isSettled: frame.isSettled)
        if let typed = typed.last(where: { $0.revision <= frame.revision }), typed.revision == frame.revision
        {
            latency = now - typed.at
        }
        if frame.isSettled, let unsettled, unsettled.revision == frame.revision {
            settlingTime = now - unsettled.at
            self.unsettled = nil
        }
        skippedCount += typed.count(where: { $0.revision < frame.revision })
        forget(upTo: frame.revision)
    }

    private mutating func forget(upTo revision: Int) { typed.removeAll { $0.revision <= revision } }

    // MARK: - Words

    /// One row about an earlier frame that is looked at, such as "frame 12 of 31  512×512 settled  seed 0  a red fox".
    static func text(of recalled: FrameBrowser.Recalled, columns: Int) -> String {
        let (entry, recipe) = (recalled.entry, recalled.entry.frame.recipe)
        let parts = [
            "frame \(entry.number) of \(recalled.count)",
            "\(recipe.width)×\(recipe.height) \(entry.stage.rawValue)",
            "seed \(recipe.seed)", TextSanitizer.line(recipe.prompt),
        ]
        return DisplayWidth.truncate(parts.joined(separator: "  "), to: max(1, columns - 1))
    }

    /// One row of at most `columns`, of which the end is cut where it is longer, such as
    /// "512×512 settled  key to frame 140 ms, settled 2.31 s  seed 0  12 frames, 3 superseded, 4 skipped  31 steps saved".
    func text(columns: Int) -> String {
        var parts = isLookingBack ? ["looking back"] : []
        if isEnriching { parts.append("more words come") }
        parts.append(first)
        if let latency {
            let settling = settlingTime.map { ", settled " + TimeText.short($0) } ?? ""
            parts.append("key to frame \(TimeText.short(latency))\(settling)")
        }
        if let seed { parts.append("seed \(seed)") }
        if frameCount > 0 { parts.append(frames) }
        if stepsSaved > 0 { parts.append(stepsSaved == 1 ? "1 step saved" : "\(stepsSaved) steps saved") }
        // The last column stays free: some terminals break the line when it is written.
        return DisplayWidth.truncate(parts.joined(separator: "  "), to: max(1, columns - 1))
    }

    private var frames: String {
        (frameCount == 1 ? "1 frame" : "\(frameCount) frames")
            + (supersededCount > 0 ? ", \(supersededCount) superseded" : "")
            + (skippedCount > 0 ? ", \(skippedCount) skipped" : "")
    }

    private var first: String {
        switch phase {
        case .connecting: return "waiting for the daemon"
        case .reconnecting(let reason): return reason ?? "the daemon is gone, connecting again"
        case .loading(let fraction):
            let percent = fraction > 0 ? Int((min(1, fraction) * 100).rounded(.down)) : 0
            return "loading the model \(percent) %"
        case .failed(let message): return TextSanitizer.line(message)
        case .painting(let stage, let step, let steps):
            let keeping = isKeeping ? "keeping it: " : ""
            return size + "\(keeping)\(stage.rawValue) \(step)/\(steps)"
        case .idle:
            if isKeeping { return size + "keeping it" }
            guard let shown else { return typed.isEmpty ? "type what to paint" : "painting" }
            return size + (shown.isSettled ? "settled" : shown.stage.rawValue)
        }
    }

    /// Of the shown frame.
    private var size: String { shown.map { "\($0.width)×\($0.height) " } ?? "" }
}
