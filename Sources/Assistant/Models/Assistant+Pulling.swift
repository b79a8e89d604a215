public import AssistantAPI
import ModelHub

extension Assistant {
    /// Has a model from a hub and puts it among the models; the last event is `completed`.
    ///
    /// Whoever stops reading leaves; when nobody waits for a model any more its download stops, and goes on from there
    /// the next time.
    ///
    /// - Returns: A stream whose errors are `AssistantError`s.
    public func pull(_ request: PullRequest) -> AsyncThrowingStream<PullEvent, any Error> {
        let (stream, events) = AsyncThrowingStream.makeStream(of: PullEvent.self)
        let task = Task { [pulls] in
            do {
                for try await event in pulls.pull(request) { events.yield(event) }
                try Task.checkCancellation()
                events.finish()
            } catch {
                events.finish(throwing: AssistantError(pulling: error))
            }
        }
        events.onTermination = { _ in task.cancel() }
        return stream
    }
}

extension AssistantError {
    /// Why a pull failed, as clients are told of it.
    init(pulling error: any Error) {
        guard let error = error as? HubError else {
            self =
                error is CancellationError
                ? AssistantError(.cancelled, "The pull was cancelled; what came is kept for the next one.")
                : .wrapping(error)
            return
        }
        let message = "\(error)"
        self =
            switch error {
            case .noReference, .badName: AssistantError(.invalidRequest, message, parameter: "model")
            case .noRepository, .noRevision, .noFile:
                AssistantError(.modelNotFound, message, parameter: "model")
            case .nothingToUse: AssistantError(.modelUnusable, message, parameter: "model")
            case .gated, .badToken, .refused: AssistantError(.hubRefused, message)
            case .tooManyRequests(_, let wait): AssistantError(.rateLimited, message, retryAfter: wait)
            case .failing, .unreachable, .offline, .badAnswer, .mismatch:
                AssistantError(.hubUnavailable, message)
            case .noSpace: AssistantError(.diskFull, message)
            case .nameTaken, .busy: AssistantError(.conflict, message, parameter: "name")
            case .closing: AssistantError(.shuttingDown, message, retryAfter: 2)
            case .system: AssistantError(.storageFailed, message)
            }
    }
}
