public import AssistantAPI
import FoundationEssentials

extension DaemonClient {
    /// Has a model quantised and hands on the events, the last of which is `completed` or `failed`.
    ///
    /// Cancelling the task closes the connection, which stops the work.
    ///
    /// - Throws: `ClientError.connectionLost` when the stream ends without one of those.
    public func quantize(
        _ request: QuantizeRequest, _ receive: @escaping @Sendable (QuantizeEvent) async throws -> Void
    ) async throws {
        let body = try Wire.encoder().encode(request)
        try await stream(.init("POST", Self.root + "/models/quantize", body: body)) { try await receive($1) }
    }
}
