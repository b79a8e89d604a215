public import AssistantAPI
import FoundationEssentials

extension DaemonClient {
    /// Longest event of a stream of pictures, in bytes: a large picture, written in base64.
    static let pictureEventLimit = 512 << 20

    /// Has pictures painted and hands on the events, the last of which is `completed` or `failed`.
    ///
    /// Cancelling the task closes the connection, which stops the work.
    ///
    /// - Throws: `ClientError.connectionLost` when the stream ends without one of those.
    public func paint(
        _ request: PictureRequest, _ receive: @escaping @Sendable (PictureEvent) async throws -> Void
    ) async throws {
        let ending = Ending()
        let body = try Wire.encoder().encode(request)
        try await transport.stream(
            .init("POST", Self.root + "/pictures", body: body), eventLimit: Self.pictureEventLimit
        ) { event in
            guard let event = try Self.pictureEvent(event) else { return }
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

    private static func pictureEvent(_ event: ServerSentEvent) throws -> PictureEvent? {
        do {
            return try PictureEvent(name: event.name, data: Data(event.data.utf8))
        } catch {
            throw ClientError.badAnswer(
                "an event \"\(event.name)\" of a form that this version does not know")
        }
    }
}
