import AssistantAPI

/// An event of the daemon's own streams as the server tells it.
protocol ServedEvent: WireEvent {
    /// Whether the work has begun; until then a failure has a status of its own.
    var commits: Bool { get }

    /// The last event of work that failed after that.
    static func failure(_ error: AssistantError) -> Self
}

/// Writes the events of one of the daemon's own streams as `event:` and `data:`.
struct WireEventWriter<Event: ServedEvent>: EventWriter {
    func commits(_ event: Event) -> Bool { event.commits }

    mutating func text(for event: Event) throws -> String {
        ServerSentEvent.text(name: event.name, data: String(decoding: try event.data(), as: UTF8.self))
    }

    mutating func text(for failure: Failure, _ error: any Error) throws -> String {
        try text(for: .failure(error as? AssistantError ?? AssistantError(.internalError, failure.message)))
    }

    mutating func end() -> String { "" }
}
