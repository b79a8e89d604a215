import Synchronization

/// What canvases have done since the daemon began.
public struct CanvasCounters: Sendable, Equatable {
    /// Texts that clients sent.
    public var texts = 0
    /// Renders that began.
    public var started = 0
    /// Of them, those that were stopped since their text was no longer the newest.
    public var superseded = 0
    /// Renders that failed.
    public var failed = 0
    /// Texts that no render began with, because a newer one came before.
    public var skipped = 0
    /// Texts that have the same tokens as the one before, and so needed none.
    public var unchanged = 0
    /// Frames that were shown, settled ones included.
    public var shown = 0
    /// Of them, the settled ones.
    public var settled = 0
    /// Frames that were there already when their text was typed again.
    public var recalled = 0
    /// Denoising steps that were taken.
    public var steps = 0
    /// Of them, those of renders that were stopped.
    public var stepsWasted = 0
    /// Steps that warm starts and recalled frames did without.
    public var stepsSaved = 0
    /// Milliseconds from a key to the first frame of its text, of each first frame.
    public var keyToFrame = MillisecondHistogram()
    /// Milliseconds from a key to the settled picture of its text.
    public var keyToSettled = MillisecondHistogram()

    public init() {}
}

/// How many times were at most so long.
public struct MillisecondHistogram: Sendable, Equatable {
    /// Upper bounds in milliseconds; what is longer counts in none of them.
    public static let bounds: [Double] = [
        10, 25, 50, 100, 150, 200, 300, 500, 750, 1000, 2000, 5000, 10_000, 60_000,
    ]

    /// For each bound, the times that were at most so long.
    public private(set) var counts = [Int](repeating: 0, count: bounds.count)
    public private(set) var count = 0
    /// Of all of them, in milliseconds.
    public private(set) var sum = 0.0

    public init() {}

    mutating func add(_ milliseconds: Double) {
        count += 1
        sum += milliseconds
        for (place, bound) in Self.bounds.enumerated() where milliseconds <= bound { counts[place] += 1 }
    }
}

/// The counters of all canvases, which any thread may add to.
final class CanvasTally: Sendable {
    private let counters = Mutex(CanvasCounters())

    var value: CanvasCounters { counters.withLock { $0 } }

    func count(_ change: (inout CanvasCounters) -> Void) { counters.withLock { change(&$0) } }
}
