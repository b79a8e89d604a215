public import AssistantAPI
import FoundationEssentials

extension DaemonClient {
    /// Has a model pulled and hands on the events, the last of which is `completed` or `failed`.
    ///
    /// Cancelling the task closes the connection, which stops the download where nobody else waits for it.
    ///
    /// - Throws: `ClientError.connectionLost` when the stream ends without one of those.
    public func pull(
        _ request: PullRequest, _ receive: @escaping @Sendable (PullEvent) async throws -> Void
    ) async throws {
        let ending = Ending()
        let body = try Wire.encoder().encode(request)
        try await transport.stream(.init("POST", Self.root + "/models/pull", body: body)) { event in
            guard let event = try Self.pullEvent(event) else { return }
            switch event {
            case .completed, .failed: await ending.reach()
            default: break
            }
            try await receive(event)
        }
        guard await ending.isReached else {
            throw Task.isCancelled ? ClientError.cancelled : ClientError.connectionLost
        }
    }

    private static func pullEvent(_ event: ServerSentEvent) throws -> PullEvent? {
        do {
            return try PullEvent(name: event.name, data: Data(event.data.utf8))
        } catch {
            throw ClientError.badAnswer(
                "an event \"\(event.name)\" of a form that this version does not know")
        }
    }
}
