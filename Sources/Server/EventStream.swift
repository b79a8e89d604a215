import Hummingbird
import NIOCore

/// Puts events into the text of a stream; one value per stream, as it may count.
protocol EventWriter<Event>: Sendable {
    associatedtype Event: Sendable
    var format: StreamFormat { get }
    /// Whether this event settles that the answer has begun; until then an error is a status of its own.
    func commits(_ event: Event) -> Bool
    mutating func text(for event: Event) throws -> String
    mutating func text(for failure: Failure, _ error: any Error) throws -> String
    /// What stands after the last event.
    mutating func end() -> String
}

extension EventWriter {
    var format: StreamFormat { .serverSentEvents }
}

/// How the text of a stream is made of events.
enum StreamFormat: Sendable {
    case serverSentEvents
    /// A JSON object on each line.
    case lines

    var mediaType: String {
        switch self {
        case .serverSentEvents: "text/event-stream; charset=utf-8"
        case .lines: "application/x-ndjson"
        }
    }

    /// What keeps the connection alive while nothing is to be said; readers of lines take no empty ones.
    var ping: String {
        switch self {
        case .serverSentEvents: ServerSentEvent.ping
        case .lines: ""
        }
    }
}

/// The lines of one server-sent event.
enum ServerSentEvent {
    /// A comment that keeps the connection alive; clients skip it.
    static let ping = ": ping\n\n"

    static func text(id: Int? = nil, name: String? = nil, data: String) -> String {
        (id.map { "id: \($0)\n" } ?? "") + (name.map { "event: \($0)\n" } ?? "") + "data: \(data)\n\n"
    }
}

/// When a stream speaks although nothing happens.
struct StreamTiming: Sendable {
    /// How long the status may wait for what happens first.
    var patience = Duration.seconds(2)
    /// Between two comments while nothing else is to be said.
    var pingInterval = Duration.seconds(15)
}

/// Turns a stream of events into a response.
///
/// The status waits for the first event that commits, or a short while, so that an early failure (a full
/// queue, an unknown model) has its own status. The client's leaving cancels the work behind the events.
struct EventStream<Event: Sendable>: Sendable {
    private enum Signal: Sendable {
        case event(Event)
        case failed(any Error)
        case tick
    }

    private let signals: AsyncStream<Signal>
    /// Asks for the next event, where the reader sets the pace.
    private let wish: AsyncStream<Void>.Continuation?
    private let connection: Connection?
    private let leaveID: Int?

    /// With `isPaced` an event is taken only when the one before it was written, so that `events` itself decides what
    /// becomes of those that a slow reader keeps waiting.
    init(
        _ events: AsyncThrowingStream<Event, any Error>, connection: Connection?, timing: StreamTiming,
        isPaced: Bool = false
    ) {
        let (signals, continuation) = AsyncStream.makeStream(of: Signal.self)
        let (wishes, wish) = AsyncStream.makeStream(of: Void.self)
        self.wish = isPaced ? wish : nil
        let work = Task {
            var wishes = wishes.makeAsyncIterator()
            do {
                for try await event in events {
                    continuation.yield(.event(event))
                    if isPaced { await wishes.next() }
                }
            } catch {
                continuation.yield(.failed(error))
            }
            continuation.finish()
        }
        let ticks = Task {
            try await Task.sleep(for: timing.patience)
            while true {
                continuation.yield(.tick)
                try await Task.sleep(for: timing.pingInterval)
            }
        }
        continuation.onTermination = { _ in
            work.cancel()
            ticks.cancel()
        }
        self.signals = signals
        self.connection = connection
        leaveID = connection?.whenClientLeaves { work.cancel() }
    }

    /// The response, once it is known that it is none of another status.
    func response(_ writer: some EventWriter<Event>) async throws -> Response {
        var first: [Event] = []
        waiting: for await signal in signals {
            switch signal {
            case .event(let event):
                first.append(event)
                if writer.commits(event) { break waiting }
                wish?.yield()
            case .failed(let error):
                forgetConnection()
                throw error
            case .tick: break waiting
            }
        }
        try Task.checkCancellation()
        return Response(
            status: .ok,
            headers: [.contentType: writer.format.mediaType, .cacheControl: "no-cache"],
            body: .init { [first] body in try await write(first, to: &body, writer) })
    }

    private func write(
        _ first: [Event], to body: inout any ResponseBodyWriter, _ writer: some EventWriter<Event>
    ) async throws {
        defer { forgetConnection() }
        var writer = writer
        for event in first { try await Self.write(try writer.text(for: event), to: &body) }
        // The event that committed, if one did, has not been answered yet.
        if let last = first.last, writer.commits(last) { wish?.yield() }
        for await signal in signals {
            switch signal {
            case .event(let event):
                try await Self.write(try writer.text(for: event), to: &body)
                wish?.yield()
            case .failed(let error):
                try await Self.write(try writer.text(for: Failure(error), error), to: &body)
                try await body.finish(nil)
                return
            case .tick: try await Self.write(writer.format.ping, to: &body)
            }
        }
        try Task.checkCancellation()
        try await Self.write(writer.end(), to: &body)
        try await body.finish(nil)
    }

    private static func write(_ text: String, to body: inout any ResponseBodyWriter) async throws {
        guard !text.isEmpty else { return }
        try await body.write(ByteBuffer(string: text))
    }

    private func forgetConnection() {
        if let leaveID { connection?.forget(leaveID) }
    }
}
