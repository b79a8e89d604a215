import Assistant
import AssistantAPI
import Hummingbird

extension Routes {
    /// Ollama's API, as far as it answers: `/api/chat`, `/api/generate`.
    func addOllamaAnswers(to router: Router<ServerContext>) {
        router.resource(
            "/api/chat",
            [
                .post: { [bodyLimit] request, context in
                    let chat = try OllamaChatCall(await request.fields(upTo: bodyLimit))
                    return try await respond(to: chat.call, chat.work, in: .message, context)
                }
            ])
        router.resource(
            "/api/generate",
            [
                .post: { [assistant, pictureBodyLimit] request, context in
                    let fields = try await request.fields(upTo: pictureBodyLimit)
                    let kind = try assistant.kind(of: OllamaCall.model(fields))
                    let generate = try OllamaGenerateCall(fields, kind: kind)
                    var work = generate.work
                    if generate.isRaw, case .answer(var request) = work, case .text(let text) = request.prompt
                    {
                        request.prompt = .tokens(
                            try await assistant.promptTokens(of: text, model: request.model))
                        work = .answer(request)
                    }
                    return try await respond(to: generate.call, work, in: .response, context)
                }
            ])
    }

    private func respond(
        to call: OllamaCall, _ work: OllamaCall.Work, in place: OllamaAnswerWriter.Place,
        _ context: ServerContext
    ) async throws -> Response {
        switch work {
        case .load:
            let writer = OllamaAnswerWriter(call, place)
            let loading = try await Connection.whileConnected(context.connection) { [assistant] in
                try await assistant.load(call.model, keepAlive: call.keepAlive, client: context.client)
            }
            return .json(writer.empty("load", loading: loading))
        case .unload:
            // It need not have been in memory, but it must be there at all.
            _ = try assistant.kind(of: call.model)
            _ = try? await assistant.unload(call.model)
            return .json(OllamaAnswerWriter(call, place).empty("unload"))
        case .answer(let request): return try await answer(request, to: call, in: place, context)
        case .picture(let request): return try await paint(request, for: call, context)
        }
    }

    private func answer(
        _ request: CompletionRequest, to call: OllamaCall, in place: OllamaAnswerWriter.Place,
        _ context: ServerContext
    ) async throws -> Response {
        let reportsProbabilities = request.logprobs != nil
        var writer = OllamaAnswerWriter(call, place, reportsProbabilities: reportsProbabilities)
        let client = context.client
        guard call.streams else {
            let completion = try await Connection.whileConnected(context.connection) { [assistant] in
                try await CollectedCompletion(
                    assistant.complete(request, client: client), reportsProbabilities: reportsProbabilities)
            }
            return .json(try writer.whole(completion))
        }
        let events = assistant.complete(request, client: client)
        return try await EventStream(events, connection: context.connection, timing: timing).response(writer)
    }

    private func paint(
        _ request: PictureRequest, for call: OllamaCall, _ context: ServerContext
    ) async throws -> Response {
        let writer = OllamaPictureWriter(call)
        let client = context.client
        guard call.streams else {
            return .json(
                try await Connection.whileConnected(context.connection) { [assistant] in
                    var writer = writer
                    return try await writer.whole(assistant.pictures.make(request, client: client))
                })
        }
        let events = assistant.pictures.make(request, client: client, partialSize: .full)
        return try await EventStream(events, connection: context.connection, timing: timing).response(writer)
    }
}
