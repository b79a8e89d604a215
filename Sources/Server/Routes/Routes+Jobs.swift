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
                        .response(WireEventWriter<QuantizeEvent>())
                }
            ])
        router.resource(
            "/inkling/v1/doctor",
            [
                .get: { [assistant, timing] _, context in
                    let events = assistant.examine(client: context.client)
                    return try await EventStream(events, connection: context.connection, timing: timing)
                        .response(WireEventWriter<DoctorEvent>())
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

extension QuantizeEvent: ServedEvent {
    /// Until there is room for the file.
    var commits: Bool {
        switch self {
        case .queued, .started: false
        default: true
        }
    }

    static func failure(_ error: AssistantError) -> Self { .failed(.init(error: error)) }
}

extension DoctorEvent: ServedEvent {
    var commits: Bool { true }

    static func failure(_ error: AssistantError) -> Self { .failed(.init(error: error)) }
}
