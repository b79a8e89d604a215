import Assistant
import AssistantAPI
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

extension Routes {
    /// Pictures that follow a text while it is typed: `/inkling/v1/canvases`.
    func addCanvases(to router: Router<ServerContext>) {
        let canvases = assistant.canvases
        router.resource(
            "/inkling/v1/canvases",
            [
                .get: { _, _ in try .wire(["canvases": canvases.list()]) },
                .post: { [pictureBodyLimit] request, context in
                    let fields = try await request.fields(upTo: pictureBodyLimit)
                    let canvas = try await canvases.open(
                        try CanvasDraft(fields), client: context.client, text: try fields.string("text"))
                    return try .wire(canvas, status: .created)
                },
            ])
        router.resource(
            "/inkling/v1/canvases/:id",
            [
                .get: { _, context in try .wire(canvases.canvas(context.pathParameter("id"))) },
                .patch: { [pictureBodyLimit] request, context in
                    let settings = try CanvasSettings(await request.fields(upTo: pictureBodyLimit))
                    return try .wire(canvases.change(context.pathParameter("id"), settings))
                },
                .delete: { _, context in try .wire(canvases.close(context.pathParameter("id"))) },
            ])
        router.resource(
            "/inkling/v1/canvases/:id/prompt",
            [
                .put: { [bodyLimit] request, context in
                    let prompt = try Canvas.Prompt(await request.fields(upTo: bodyLimit))
                    let newest = try canvases.type(prompt, on: context.pathParameter("id"))
                    return try .wire(newest, status: .accepted)
                }
            ])
        addFrames(to: router)
    }

    private func addFrames(to router: Router<ServerContext>) {
        let canvases = assistant.canvases
        router.resource(
            "/inkling/v1/canvases/:id/events",
            [
                .get: { [timing] request, context in
                    let id = try context.pathParameter("id")
                    let events = try canvases.events(of: id, after: request.lastEventID)
                    // At the reader's pace, since what it is too slow for is left out before this.
                    return try await EventStream(
                        events, connection: context.connection, timing: timing, isPaced: true
                    ).response(CanvasEventWriter())
                }
            ])
        router.resource(
            "/inkling/v1/canvases/:id/frames",
            [
                .get: { request, context in
                    var timeline = try canvases.timeline(of: context.pathParameter("id"))
                    if try !request.queryFlag("full") { timeline.dropLatents() }
                    return try .wire(timeline)
                }
            ])
        router.resource(
            "/inkling/v1/canvases/:id/frames/:number",
            [
                .get: { request, context in
                    guard let number = Int(try context.pathParameter("number")), number > 0 else {
                        throw Failure.invalid("A frame's number counts from 1.", parameter: "number")
                    }
                    let id = try context.pathParameter("id")
                    let format = try request.queryFormat
                    // A frame that is no longer kept is rendered for it.
                    return try await Connection.whileConnected(context.connection) {
                        if let format {
                            return .picture(try await canvases.file(number, of: id, as: format), format)
                        }
                        let frame = try await canvases.frame(number, of: id)
                        return .picture(frame.data, frame.format)
                    }
                }
            ])
        router.resource(
            "/inkling/v1/canvases/:id/commit",
            [
                .post: { [bodyLimit] request, context in
                    let commit = try CanvasCommit(await request.fields(upTo: bodyLimit))
                    let id = try context.pathParameter("id")
                    return try .wire(
                        await Connection.whileConnected(context.connection) {
                            try await canvases.commit(id, commit)
                        })
                }
            ])
    }
}

extension Response {
    fileprivate static func picture(_ data: Data, _ format: PictureFormat) -> Response {
        Response(
            status: .ok, headers: [.contentType: format.mediaType, .cacheControl: "private"],
            body: .init(byteBuffer: ByteBuffer(bytes: data)))
    }
}

extension Request {
    /// The format in which a file to keep is asked for.
    fileprivate var queryFormat: PictureFormat? {
        get throws(Failure) {
            guard let name = query("format") else { return nil }
            if let format = PictureFormat(rawValue: name) { return format }
            throw .invalid("'format' must be png or webp.", parameter: "format")
        }
    }

    /// The number of the last event that a client has seen; one that is no number begins anew.
    fileprivate var lastEventID: Int? {
        HTTPField.Name("Last-Event-ID").flatMap { headers[$0] }.flatMap { Int($0) }.flatMap {
            $0 >= 0 ? $0 : nil
        }
    }
}

extension CanvasTimeline {
    /// Leaves the start latents out, which are most of it.
    fileprivate mutating func dropLatents() {
        for place in frames.indices { frames[place].frame.start?.latents = Data() }
    }
}

/// Writes the events of a canvas as `id:`, `event:` and `data:`.
struct CanvasEventWriter: EventWriter {
    func commits(_ event: NumberedCanvasEvent) -> Bool { true }

    mutating func text(for numbered: NumberedCanvasEvent) throws -> String {
        let event = numbered.event
        return ServerSentEvent.text(
            id: numbered.number, name: event.name, data: String(decoding: try event.data(), as: UTF8.self))
    }

    mutating func text(for failure: Failure, _ error: any Error) throws -> String {
        let error = error as? AssistantError ?? AssistantError(.internalError, failure.message)
        let event = CanvasEvent.failed(.init(revision: 0, error: error))
        return ServerSentEvent.text(
            name: event.name, data: String(decoding: try event.data(), as: UTF8.self))
    }

    mutating func end() -> String { "" }
}
