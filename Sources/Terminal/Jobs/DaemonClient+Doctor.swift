public import AssistantAPI
import FoundationEssentials

extension DaemonClient {
    /// Has the daemon look at itself and hands on the events, the last of which is `completed` or `failed`.
    ///
    /// Cancelling the task closes the connection, which stops the work.
    ///
    /// - Throws: `ClientError.connectionLost` when the stream ends without one of those.
    public func examine(_ receive: @escaping @Sendable (DoctorEvent) async throws -> Void) async throws {
        try await stream(.init("GET", Self.root + "/doctor")) { try await receive($1) }
    }
}
