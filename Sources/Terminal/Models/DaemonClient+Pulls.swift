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
        let body = try Wire.encoder().encode(request)
        try await stream(.init("POST", Self.root + "/models/pull", body: body)) { try await receive($1) }
    }
}
