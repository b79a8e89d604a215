import AssistantAPI

/// How far a request for pictures is, from the events of its stream.
///
/// Times are counted from when the request was sent; they are handed in, so that this is a value that tests can drive.
struct PaintingProgress: Sendable, Equatable {
    enum Phase: Sendable, Equatable {
        /// Nothing was heard yet.
        case sent
        case waiting(ahead: Int)
        case loading(fraction: Double)
        /// The prompt (and a start picture) is read.
        case encoding
        /// Steps that are done, of how many.
        case painting(done: Int, total: Int)
        /// Parts of the picture that are done, of how many.
        case decoding(done: Int, total: Int)
    }

    /// The step times that the estimate goes by.
    private static let window = 5

    /// How many pictures were asked for.
    let count: Int
    private(set) var phase = Phase.sent
    /// Which picture is being painted, from 0.
    private(set) var index = 0
    /// What is known of the picture that is being painted.
    private(set) var recipe: Recipe?
    private(set) var finishedCount = 0
    /// What the last step took.
    private(set) var stepTime: Duration?

    private var pictureStart = Duration.zero
    /// When the last event came.
    private var lastEvent = Duration.zero
    private var stepTimes: [Duration] = []
    /// From the end of the last step to the finished picture, as the picture before had it.
    private var decodeTime: Duration?
    private var pictureTime: Duration?
    private var decodeStart: Duration?

    init(count: Int) { self.count = max(1, count) }

    /// Takes in an event that came `now`.
    mutating func receive(_ event: PictureEvent, at now: Duration) {
        lastEvent = now
        switch event {
        case .queued(let queued): phase = .waiting(ahead: queued.ahead)
        case .loading(let loading): phase = .loading(fraction: loading.fraction)
        case .notice, .partial, .completed, .failed: break
        case .started(let started):
            phase = .encoding
            (index, recipe) = (clamp(started.index, to: count - 1), started.recipe)
            (pictureStart, decodeStart) = (now, nil)
            (stepTimes, stepTime) = ([], nil)
        case .progress(let progress): receive(progress, at: now)
        case .picture(let finished):
            index = clamp(finished.index, to: count - 1)
            finishedCount += 1
            if let decodeStart { decodeTime = now - decodeStart }
            pictureTime = now - pictureStart
        }
    }

    private mutating func receive(_ progress: PictureEvent.Progress, at now: Duration) {
        index = clamp(progress.index, to: count - 1)
        let total = clamp(progress.total, to: 1_000_000)
        let done = clamp(progress.done, to: total)
        switch progress.stage {
        case .encode: phase = .encoding
        case .denoise:
            phase = .painting(done: done, total: total)
            if done >= total { decodeStart = now }
            guard done > 0, progress.milliseconds > 0 else { break }
            let time = Duration.milliseconds(min(progress.milliseconds, 1e9))
            stepTime = time
            stepTimes = (stepTimes + [time]).suffix(Self.window)
        case .decode: phase = .decoding(done: done, total: total)
        }
    }

    /// The daemon's numbers are not trusted to make sense.
    private func clamp(_ number: Int, to limit: Int) -> Int { max(0, min(number, limit)) }

    /// How long the current picture has been worked on; for a finished one, how long that took.
    func pictureTime(at now: Duration) -> Duration { now - pictureStart }

    /// How long it will take until all pictures are finished, where enough is known to say.
    ///
    /// The middle one of the last step times counts, as other work of the machine makes single steps slow. What comes
    /// after the last step is only known from a picture before.
    func remaining(at now: Duration) -> Duration? {
        let step = stepTimes.sorted().dropFirst(stepTimes.count / 2).first
        let following = max(0, count - index - 1)
        var remaining: Duration
        switch phase {
        case .sent, .waiting, .loading: return nil
        case .encoding:
            guard let pictureTime else { return nil }
            return max(.zero, pictureTime - (now - pictureStart)) + pictureTime * following
        case .painting(let done, let total):
            guard let step else { return nil }
            remaining = step * max(0, total - done) + (decodeTime ?? .zero)
            let whole = pictureTime ?? step * total
            remaining = max(.zero, remaining - (now - lastEvent)) + whole * following
        case .decoding:
            let whole = pictureTime ?? (now - pictureStart)
            guard following > 0 || decodeTime != nil else { return nil }
            remaining = max(.zero, (decodeTime ?? .zero) - (now - (decodeStart ?? now))) + whole * following
        }
        return remaining
    }
}
