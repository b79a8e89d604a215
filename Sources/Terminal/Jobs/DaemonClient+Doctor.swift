public import AssistantAPI
import FoundationEssentials

extension DaemonClient {
    /// Has the daemon look at itself and hands on the events, the last of which is `completed` or `failed`.
    ///
    /// Cancelling the task closes the connection, which stops the work.
    ///
    /// - Throws: `ClientError.connectionLost` when the stream ends without one of those.
    public func examine(_ receive: @escaping @Sendable (DoctorEvent) async throws -> Void) async throws {
        let ending = Ending()
        try await transport.stream(.init("GET", Self.root + "/doctor")) { event in
            guard let event = try Self.doctorEvent(event) else { return }
            if case .finding = event {} else { await ending.reach() }
            try await receive(event)
        }
        guard await ending.isReached else {
            throw Task.isCancelled ? ClientError.cancelled : ClientError.connectionLost
        }
    }

    private static func doctorEvent(_ event: ServerSentEvent) throws -> DoctorEvent? {
        do {
            return try DoctorEvent(name: event.name, data: Data(event.data.utf8))
        } catch {
            throw ClientError.badAnswer(
                "an event \"\(event.name)\" of a form that this version does not know")
        }
    }
}
