import Assistant
import AssistantAPI
import HTTPTypes
import Hummingbird

extension Routes {
    /// What llama-server has beside OpenAI's API: `/completion`, `/apply-template`, `/props`, `/slots`.
    func addLlamaServer(to router: Router<ServerContext>) {
        let completion: Handler = { [bodyLimit] request, context in
            let call = try LlamaCompletionCall(await request.fields(upTo: bodyLimit))
            return try await complete(call, context)
        }
        router.resource("/completion", [.post: completion])
        router.resource("/completions", [.post: completion])
        router.resource(
            "/apply-template",
            [
                .post: { [assistant, bodyLimit] request, _ in
                    let fields = try await request.fields(upTo: bodyLimit)
                    let text = try await assistant.chatText(
                        of: ChatMessage.readAll(fields), tools: ToolUse.read(fields)?.tools ?? [],
                        model: fields.string("model"),
                        opensAnswer: fields.bool("add_generation_prompt") ?? true)
                    return .json(["prompt": .string(text)])
                }
            ])
        router.resource(
            "/props",
            [
                .get: { [assistant] request, _ in
                    .json(try await LlamaProps(request.query("model"), assistant).json)
                }
            ])
        router.resource(
            "/slots",
            [
                .get: { [assistant] request, _ in
                    let props = try await LlamaProps(request.query("model"), assistant)
                    let taken = assistant.metrics().answers.running
                    if try request.queryFlag("fail_on_no_slot"), taken >= Assistant.answersAtOnce {
                        throw Failure(
                            .serviceUnavailable, code: "queue_full", "no slot available", retryAfter: 1)
                    }
                    return .json(props.slots(taken: taken))
                }
            ])
    }

    private func complete(_ call: LlamaCompletionCall, _ context: ServerContext) async throws -> Response {
        let model = call.request.model
        var (prompts, texts): ([[Int32]], [String]) = ([], [])
        do {
            for prompt in call.prompts {
                let tokens = try await assistant.tokens(of: prompt, model: model)
                texts.append(try await assistant.detokenize(model: model, tokens: tokens))
                prompts.append(tokens)
            }
        } catch var error as AssistantError {
            // What is said of tokens is said of the prompt's.
            if error.parameter == "tokens" { error.parameter = "prompt" }
            throw error
        }
        let settings = LlamaSettings.json(
            assistant.filled(call.request.settings), call.request, streams: call.streams)
        let writer = LlamaCompletionWriter(call, prompts: texts, settings: settings)
        let (requests, client) = (call.requests(prompts), context.client)
        guard call.streams else {
            let completions = try await Connection.whileConnected(context.connection) { [assistant] in
                try await assistant.collectInTurn(requests, client: client)
            }
            return .json(try writer.whole(completions))
        }
        let events = assistant.completeInTurn(requests, client: client)
        return try await EventStream(events, connection: context.connection, timing: timing)
            .response(writer)
    }
}
