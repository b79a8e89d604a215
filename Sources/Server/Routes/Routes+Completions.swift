import Assistant
import AssistantAPI
import Glibc
import Hummingbird

extension Routes {
    /// `POST /v1/completions`: plain text and token ids, for completing and for scoring.
    func addCompletions(to router: Router<ServerContext>) {
        router.resource(
            "/v1/completions",
            [
                .post: { [assistant, bodyLimit, timing] request, context in
                    let call = try TextCompletionCall(await request.fields(upTo: bodyLimit))
                    let frame = AnswerFrame(
                        prefix: "cmpl", created: time(nil), model: call.requests.first?.model)
                    let client = context.client
                    guard call.shape.streams else {
                        let completions = try await Connection.whileConnected(context.connection) {
                            try await Self.collect(call, from: assistant, client: client)
                        }
                        return .json(try TextCompletionWriter.whole(completions, frame: frame))
                    }
                    let events = Self.stream(call, from: assistant, client: client)
                    return try await EventStream(events, connection: context.connection, timing: timing)
                        .response(TextCompletionWriter(call, frame: frame))
                }
            ])
    }

    private static func collect(
        _ call: TextCompletionCall, from assistant: Assistant, client: String
    ) async throws -> [CollectedCompletion] {
        var completions: [CollectedCompletion] = []
        for request in call.requests {
            completions.append(
                try await CollectedCompletion(
                    assistant.complete(request, client: client),
                    reportsProbabilities: call.reportsProbabilities))
        }
        return completions
    }

    private static func stream(
        _ call: TextCompletionCall, from assistant: Assistant, client: String
    ) -> AsyncThrowingStream<IndexedCompletionEvent, any Error> {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: IndexedCompletionEvent.self)
        let work = Task {
            do {
                for (index, request) in call.requests.enumerated() {
                    for try await event in assistant.complete(request, client: client) {
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
}
