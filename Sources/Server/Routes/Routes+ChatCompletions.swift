import Assistant
import AssistantAPI
import Glibc
import Hummingbird

extension Routes {
    /// `POST /v1/chat/completions`.
    func addChatCompletions(to router: Router<ServerContext>) {
        router.resource(
            "/v1/chat/completions",
            [
                .post: { [assistant, bodyLimit, timing] request, context in
                    let call = try ChatCompletionCall(await request.fields(upTo: bodyLimit))
                    let frame = AnswerFrame(prefix: "chatcmpl", created: time(nil), model: call.request.model)
                    let client = context.client
                    guard call.shape.streams else {
                        let completion = try await Connection.whileConnected(context.connection) {
                            try await CollectedCompletion(
                                assistant.complete(call.request, client: client),
                                reportsProbabilities: call.request.logprobs != nil)
                        }
                        return .json(try ChatCompletionWriter.whole(completion, frame: frame))
                    }
                    let events = assistant.complete(call.request, client: client)
                    return try await EventStream(events, connection: context.connection, timing: timing)
                        .response(ChatCompletionWriter(call, frame: frame))
                }
            ])
    }
}
