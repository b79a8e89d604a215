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
                            try await assistant.collectInTurn(call.requests, client: client)
                        }
                        return .json(try TextCompletionWriter.whole(completions, frame: frame))
                    }
                    let events = assistant.completeInTurn(call.requests, client: client)
                    return try await EventStream(events, connection: context.connection, timing: timing)
                        .response(TextCompletionWriter(call, frame: frame))
                }
            ])
    }
}
