import Assistant
import AssistantAPI

/// An event of one of several completions that share a response.
struct IndexedCompletionEvent: Sendable {
    let index: Int
    let event: CompletionEvent
}

extension Assistant {
    /// Completes one request after the other; requests of one prompt share its evaluation.
    func completeInTurn(
        _ requests: [CompletionRequest], client: String
    ) -> AsyncThrowingStream<IndexedCompletionEvent, any Error> {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: IndexedCompletionEvent.self)
        let work = Task {
            do {
                for (index, request) in requests.enumerated() {
                    for try await event in complete(request, client: client) {
                        continuation.yield(IndexedCompletionEvent(index: index, event: event))
                    }
                    try Task.checkCancellation()
                }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        continuation.onTermination = { _ in work.cancel() }
        return stream
    }

    /// Waits for one completion after the other.
    func collectInTurn(
        _ requests: [CompletionRequest], client: String
    ) async throws -> [CollectedCompletion] {
        var completions: [CollectedCompletion] = []
        for request in requests {
            completions.append(
                try await CollectedCompletion(
                    complete(request, client: client), reportsProbabilities: request.logprobs != nil))
        }
        return completions
    }
}

extension CompletionRequest {
    /// The same request so many times; with a seed each gets another one.
    func repeated(_ count: Int) -> [CompletionRequest] {
        (0..<count).map { index in
            var copy = self
            copy.settings.seed = settings.seed.map { $0 &+ UInt64(index) }
            return copy
        }
    }
}
