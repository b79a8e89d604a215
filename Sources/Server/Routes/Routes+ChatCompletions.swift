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
                    let frame = AnswerFrame(
                        prefix: "chatcmpl", created: time(nil), model: call.requests.first?.model)
                    let client = context.client
                    guard call.shape.streams else {
                        let completions = try await Connection.whileConnected(context.connection) {
                            try await assistant.collectInTurn(call.requests, client: client)
                        }
                        return .json(try ChatCompletionWriter.whole(completions, frame: frame))
                    }
                    let events = assistant.completeInTurn(call.requests, client: client)
                    return try await EventStream(events, connection: context.connection, timing: timing)
                        .response(ChatCompletionWriter(call, frame: frame))
                }
            ])
    }
}
