import AssistantAPI
import FoundationEssentials

/// Looking back over the frames of a canvas: which one is shown instead of the newest.
///
/// One frame is fetched at a time; further steps add up meanwhile. A value without a clock or a connection: it says what
/// to fetch and is told what came.
struct FrameBrowser: Sendable {
    /// A way along the timeline.
    struct Step: Sendable, Equatable {
        /// So many texts (or frames) back, or forth where it is positive.
        var count: Int
        /// Stops at drafts too, where other steps stop at the last frame of each text.
        var takesDrafts = false
    }

    /// A frame that was fetched.
    struct Recalled: Sendable, Equatable {
        var entry: CanvasTimeline.Entry
        var data: Data
        /// Frames of the canvas.
        var count: Int
    }

    /// What is to be fetched: a step from a frame, or from the newest one.
    struct Request: Sendable, Equatable {
        var step: Step
        var from: Int?
        /// Which look back it belongs to: what comes for one that is over is of no use.
        var visit: Int
    }

    /// The frame that is shown instead of the newest.
    private(set) var shown: Recalled?
    private var underWay: Request?
    /// A frame is on its way.
    var isFetching: Bool { underWay != nil }
    private var next: Step?
    private var visit = 0

    /// Goes a step; `nil` while another one is under way, after which it follows.
    mutating func go(_ step: Step) -> Request? {
        if underWay != nil {
            let count = (next?.count ?? 0) + step.count
            next = Step(count: count, takesDrafts: step.takesDrafts)
            return nil
        }
        let request = Request(step: step, from: shown?.entry.number, visit: visit)
        underWay = request
        return request
    }

    /// Takes in what came for a request: a frame, or none where the newest is to be shown again.
    ///
    /// - Returns: what to fetch next.
    mutating func receive(_ recalled: Recalled?, for request: Request) -> Request? {
        guard request == underWay else { return nil }
        underWay = nil
        shown = recalled
        guard let step = next, step.count != 0 else { return nil }
        next = nil
        return go(step)
    }

    /// Shows the newest frame again.
    mutating func leave() {
        (shown, underWay, next) = (nil, nil, nil)
        visit += 1
    }

    /// Where a step leads: the oldest frame is the last stop, and behind the newest is none.
    static func stop(
        _ step: Step, from number: Int?, in timeline: [CanvasTimeline.Entry]
    ) -> CanvasTimeline.Entry? {
        var stops: [CanvasTimeline.Entry] = []
        for entry in timeline {
            let isSameText = stops.last?.frame.recipe.prompt == entry.frame.recipe.prompt
            if isSameText, !step.takesDrafts { stops.removeLast() }
            stops.append(entry)
        }
        guard let last = stops.indices.last else { return nil }
        // A frame between two stops belongs to the one after it, the best of its text.
        let place = number.flatMap { number in stops.firstIndex { $0.number >= number } } ?? last
        let target = place + step.count
        return target > last ? nil : stops[max(0, target)]
    }
}

extension CanvasTimeline.Entry {
    /// The frame as an event, as when it was new.
    func event(data: Data) -> CanvasEvent.Frame {
        CanvasEvent.Frame(
            number: number, revision: revision, stage: stage, step: frame.recipe.steps,
            steps: frame.recipe.steps, isSettled: stage == .settled, width: frame.recipe.width,
            height: frame.recipe.height, format: .webp, data: data,
            timings: FrameTimings(sinceKey: 0, waited: 0, encode: 0, denoise: 0, decode: 0))
    }
}
