import Assistant
import AssistantAPI
import HTTPTypes
import Logging

/// One request for a response on its way: the chain becomes messages, these an answer, and that is kept.
///
/// Streamed or whole, a response is made in the same way: the whole one is what the stream's last event has.
struct ResponseWork: Sendable {
    let assistant: Assistant
    let call: ResponseCall
    /// Seconds since 1970.
    let created: Int
    let client: String
    let logger: Logger

    // MARK: - Before

    /// What is asked of the assistant.
    ///
    /// - Throws: `Failure` or `AssistantError` for what can be refused at once.
    func request() async throws -> ResponseRequest {
        var completion = call.request
        completion.prompt = .chat(try await messages())
        guard let tool = call.tools.picture else { return ResponseRequest(completion: completion) }
        try checkModel(of: tool)
        var picture = tool.request
        picture.isPrivate = !call.isStored
        return ResponseRequest(completion: completion, picture: picture)
    }

    private func messages() async throws -> [ChatMessage] {
        let pictures = assistant.pictures
        var messages = ResponseMessages(instructions: call.instructions) { id in
            try? await pictures.picture(id).recipe.prompt
        }
        let name = "previous_response_id"
        for response in try await chain(name) {
            try await messages.add(response.inputItems(), path: name)
            try await messages.add(response.outputItems(), path: name)
        }
        try await messages.add(call.input, path: "input")
        return messages.messages
    }

    private func chain(_ parameter: String) async throws -> [StoredResponse] {
        guard let previous = call.previous else { return [] }
        do {
            return try await assistant.responses.chain(endingAt: previous)
        } catch var error as AssistantError {
            error.parameter = parameter
            guard error.code == .notFound else { throw error }
            throw Failure(
                .badRequest, code: "previous_response_not_found", error.message, parameter: parameter)
        }
    }

    private func checkModel(of picture: PictureTool) throws(AssistantError) {
        do throws(AssistantError) {
            _ = try assistant.pictureModel(picture.request.model)
        } catch {
            var error = error
            error.parameter = picture.path + "model"
            throw error
        }
    }

    // MARK: - On the way

    /// Makes the response; an error is thrown only before anything is told, later ones are its end.
    func events(_ request: ResponseRequest) -> AsyncThrowingStream<ResponseStreamEvent, any Error> {
        let (stream, events) = AsyncThrowingStream.makeStream(of: ResponseStreamEvent.self)
        let work = Task {
            do {
                try await make(request) { events.yield($0) }
                events.finish()
            } catch {
                events.finish(throwing: error)
            }
        }
        events.onTermination = { _ in work.cancel() }
        return stream
    }

    /// The same as one object, for clients that don't stream.
    func whole(_ request: ResponseRequest) async throws -> JSON {
        var last: ResponseStreamEvent?
        for try await event in events(request) { last = event }
        try Task.checkCancellation()
        guard let response = last?.json["response"] else { throw CancellationError() }
        return response
    }

    private func make(
        _ request: ResponseRequest, tell: @Sendable (ResponseStreamEvent) -> Void
    ) async throws {
        var progress = ResponseProgress(ResponseFrame(call, created: created))
        var failure: Failure?
        do {
            for try await event in assistant.responses.make(request, client: client) {
                for event in try progress.take(event) { tell(event) }
            }
            try Task.checkCancellation()
        } catch {
            guard progress.hasBegun, !Task.isCancelled else { throw error }
            let found = Failure(error)
            if found.code == "internal_error" { logger.error("a response failed: \(error)") }
            failure = found
        }
        for event in progress.end(failure) { tell(event) }
        if call.isStored, let notice = await assistant.responses.keep(progress.stored) {
            progress.add(notice)
        }
        tell(progress.last())
    }
}

/// Writes the stream of a response as `event:` and `data:`.
struct ResponseStreamWriter: EventWriter {
    func commits(_ event: ResponseStreamEvent) -> Bool { true }

    mutating func text(for event: ResponseStreamEvent) throws -> String {
        ServerSentEvent.text(name: event.type, data: event.json.text)
    }

    /// Of a response that was refused after its client had waited for some time.
    mutating func text(for failure: Failure, _ error: any Error) throws -> String {
        let members: [(String, JSON)] = [
            ("type", "error"), ("sequence_number", 0), ("code", .string(failure.code)),
            ("message", .string(failure.message)), ("param", JSON(failure.parameter)),
            ("error", failure.json["error"] ?? .null),
        ]
        return ServerSentEvent.text(name: "error", data: JSON(members).text)
    }

    mutating func end() -> String { "" }
}
