import AssistantAPI
import FoundationEssentials

extension DaemonClient {
    /// Longest event that may carry a picture, in bytes: a large one, written in base64.
    static let pictureEventLimit = 512 << 20

    /// Hands on the events of a stream with their ids, until the last one.
    ///
    /// Cancelling the task closes the connection, which stops the daemon's work.
    ///
    /// - Throws: `ClientError.connectionLost` when the stream ends without its last event.
    func stream<Event: WireEvent>(
        _ request: UnixSocketClient.Request, eventLimit: Int = ServerSentEventParser.limit,
        _ receive: @escaping @Sendable (_ id: String?, Event) async throws -> Void
    ) async throws {
        let ending = Ending()
        try await transport.stream(request, eventLimit: eventLimit) { event in
            guard let known: Event = try Self.read(event) else { return }
            if known.isLast { await ending.reach() }
            try await receive(event.id, known)
        }
        guard await ending.isReached else {
            throw Task.isCancelled ? ClientError.cancelled : ClientError.connectionLost
        }
    }

    /// Whether a stream has come to its last event.
    private actor Ending {
        private(set) var isReached = false
        func reach() { isReached = true }
    }

    private static func read<Event: WireEvent>(_ event: ServerSentEvent) throws -> Event? {
        do {
            return try Event(name: event.name, data: Data(event.data.utf8))
        } catch {
            throw ClientError.badAnswer(
                "an event \"\(event.name)\" of a form that this version does not know")
        }
    }
}
