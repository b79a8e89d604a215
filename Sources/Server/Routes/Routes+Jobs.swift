import Assistant
import AssistantAPI
import Hummingbird

extension Routes {
    /// Long work beside the answers: models are quantised, the machine is measured.
    func addJobs(to router: Router<ServerContext>) {
        router.resource(
            "/inkling/v1/models/quantize",
            [
                .post: { [assistant, bodyLimit, timing] request, context in
                    let wanted = try QuantizeRequest(await request.fields(upTo: bodyLimit))
                    let events = assistant.quantizations.quantize(wanted, client: context.client)
                    return try await EventStream(events, connection: context.connection, timing: timing)
                        .response(QuantizeEventWriter())
                }
            ])
        router.resource(
            "/inkling/v1/doctor",
            [
                .get: { [assistant, timing] _, context in
                    let events = assistant.examine(client: context.client)
                    return try await EventStream(events, connection: context.connection, timing: timing)
                        .response(DoctorEventWriter())
                }
            ])
    }
}

extension QuantizeRequest {
    /// - Throws: `Failure` 400 that names the field for a value of the wrong type.
    init(_ fields: Fields) throws(Failure) {
        self.init(
            source: try fields.requiredString("source"), type: try fields.string("type"),
            name: try fields.string("name"), output: try fields.string("output"))
    }
}

/// Writes the events of a quantisation as `event:` and `data:`.
struct QuantizeEventWriter: EventWriter {
    /// Until there is room for the file, a failure has a status of its own.
    func commits(_ event: QuantizeEvent) -> Bool {
        switch event {
        case .queued, .started: false
        default: true
        }
    }

    mutating func text(for event: QuantizeEvent) throws -> String {
        ServerSentEvent.text(name: event.name, data: String(decoding: try event.data(), as: UTF8.self))
    }

    mutating func text(for failure: Failure, _ error: any Error) throws -> String {
        let error = error as? AssistantError ?? AssistantError(.internalError, failure.message)
        return try text(for: .failed(.init(error: error)))
    }

    mutating func end() -> String { "" }
}

/// Writes what is found as `event:` and `data:`.
struct DoctorEventWriter: EventWriter {
    func commits(_ event: DoctorEvent) -> Bool { true }

    mutating func text(for event: DoctorEvent) throws -> String {
        ServerSentEvent.text(name: event.name, data: String(decoding: try event.data(), as: UTF8.self))
    }

    mutating func text(for failure: Failure, _ error: any Error) throws -> String {
        let error = error as? AssistantError ?? AssistantError(.internalError, failure.message)
        return try text(for: .failed(.init(error: error)))
    }

    mutating func end() -> String { "" }
}
