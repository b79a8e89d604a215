public import AssistantAPI
import Synchronization

/// An event of a canvas with the number by which a client that comes back says what it has seen.
public struct NumberedCanvasEvent: Sendable, Equatable {
    /// Counts the canvas's events, from 1.
    public var number: Int
    public var event: CanvasEvent

    public init(number: Int, event: CanvasEvent) {
        self.number = number
        self.event = event
    }
}

/// The events of one canvas: to everybody who reads them now, and kept for who comes back.
///
/// Both are bounded: an event that a newer one replaces (the frame before the newest, say) is left out, the newest
/// never.
final class CanvasFeed: Sendable {
    typealias Stream = AsyncThrowingStream<NumberedCanvasEvent, any Error>

    private struct State {
        var last = 0
        var kept = EventBacklog()
        var readers: [Int: CanvasReader] = [:]
        var lastReader = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    /// How many read the events now.
    var readerCount: Int { state.withLock { $0.readers.count } }

    func send(_ event: CanvasEvent) {
        state.withLock { state in
            guard !state.isClosed else { return }
            state.last += 1
            let numbered = NumberedCanvasEvent(number: state.last, event: event)
            state.kept.append(numbered)
            for reader in state.readers.values { reader.put(numbered) }
        }
    }

    /// Sends the last event and ends every stream.
    func close() {
        send(.closed(.init()))
        let readers = state.withLock { state in
            state.isClosed = true
            defer { state.readers = [:] }
            return state.readers.values
        }
        for reader in readers { reader.finish() }
    }

    /// The events from now on, and before them what came after the event `after`, where that is still known.
    ///
    /// Otherwise the stream begins anew, with the canvas as it stands and the newest frame; without one, with the failure
    /// that is the reason.
    func events(after: Int?, canvas: Canvas) -> Stream {
        let reader = CanvasReader()
        let number = state.withLock { state -> Int in
            if let after, after <= state.last, state.kept.reaches(back: after) {
                for event in state.kept.events where event.number > after { reader.put(event) }
            } else {
                let since = state.kept.newestFrame ?? state.kept.standingFailure ?? state.last + 1
                reader.put(NumberedCanvasEvent(number: since - 1, event: .canvas(canvas)))
                for event in state.kept.events where event.number >= since { reader.put(event) }
            }
            if state.isClosed { reader.finish() }
            state.lastReader += 1
            if !state.isClosed { state.readers[state.lastReader] = reader }
            return state.lastReader
        }
        // Goes with the stream, however its consumer leaves.
        let lease = Lease { [weak self] in self?.state.withLock { state in state.readers[number] = nil } }
        return Stream {
            await withTaskCancellationHandler {
                let event = await reader.next()
                lease.hold()
                return event
            } onCancel: {
                reader.finish()
            }
        }
    }
}

/// Events in their order, without those that newer ones replace, and never more than a few.
struct EventBacklog: Sendable {
    /// How many are kept; frames apart from the newest are not among them.
    static let limit = 64

    private(set) var events: [NumberedCanvasEvent] = []
    /// Number of the newest event that was left out for want of room.
    private var forgotten = 0

    var newestFrame: Int? {
        events.last { if case .frame = $0.event { true } else { false } }?.number
    }

    /// The newest failure, where nothing began anew after it: neither settings nor a model that is ready.
    var standingFailure: Int? {
        guard let failure = newestFailure else { return nil }
        let isOver = events.contains { event in
            if case .canvas = event.event { event.number > failure } else { false }
        }
        return isOver ? nil : failure
    }

    private var newestFailure: Int? {
        events.last { if case .failed = $0.event { true } else { false } }?.number
    }

    /// Whether everything after an event is here, apart from what was replaced.
    func reaches(back number: Int) -> Bool { number >= forgotten }

    mutating func append(_ event: NumberedCanvasEvent) {
        if let kind = Self.replaceable(event.event) {
            events.removeAll { Self.replaceable($0.event) == kind }
        }
        events.append(event)
        guard events.count > Self.limit else { return }
        // The newest frame is what a reader must not lose, nor why there is none, nor what the canvas is.
        let (frame, failure) = (newestFrame, newestFailure)
        let victim =
            events.firstIndex { event in
                if case .canvas = event.event { return false }
                return event.number != frame && event.number != failure
            } ?? 0
        forgotten = max(forgotten, events[victim].number)
        events.remove(at: victim)
    }

    mutating func removeFirst() -> NumberedCanvasEvent? { events.isEmpty ? nil : events.removeFirst() }

    /// Of these only the newest of a kind is of use.
    private static func replaceable(_ event: CanvasEvent) -> Int? {
        switch event {
        case .canvas: 1
        case .loading: 2
        case .progress: 3
        case .frame: 4
        case .settled: 5
        case .notice, .superseded, .committed, .failed, .closed: nil
        }
    }
}

/// Does something when nobody holds it any more.
private final class Lease: Sendable {
    private let end: @Sendable () -> Void

    init(_ end: @escaping @Sendable () -> Void) { self.end = end }

    /// Keeps it alive until here.
    func hold() {}

    deinit { end() }
}

/// One reader's events that it has not taken yet.
private final class CanvasReader: Sendable {
    private struct State {
        var backlog = EventBacklog()
        var waiting: CheckedContinuation<NumberedCanvasEvent?, Never>?
        var isFinished = false
    }

    private let state = Mutex(State())

    func put(_ event: NumberedCanvasEvent) {
        let waiting = state.withLock { state -> CheckedContinuation<NumberedCanvasEvent?, Never>? in
            guard !state.isFinished else { return nil }
            guard let waiting = state.waiting else {
                state.backlog.append(event)
                return nil
            }
            state.waiting = nil
            return waiting
        }
        waiting?.resume(returning: event)
    }

    func next() async -> NumberedCanvasEvent? {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state -> NumberedCanvasEvent?? in
                if let event = state.backlog.removeFirst() { return .some(event) }
                if state.isFinished { return .some(nil) }
                state.waiting = continuation
                return .none
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }

    func finish() {
        let waiting = state.withLock { state in
            state.isFinished = true
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(returning: nil)
    }
}
