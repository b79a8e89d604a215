import Assistant
import AssistantAPI
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

extension Routes {
    /// Pictures, as they are made and kept: `/inkling/v1/pictures`.
    func addPictures(to router: Router<ServerContext>) {
        let pictures = assistant.pictures
        router.resource(
            "/inkling/v1/pictures",
            [
                .get: { request, _ in
                    let limit = try request.query("limit", in: 1...200, default: 50)
                    return try .wire(await pictures.list(before: request.query("before"), limit: limit))
                },
                .post: { [pictureBodyLimit, timing] request, context in
                    let wanted = try PictureRequest(await request.fields(upTo: pictureBodyLimit))
                    let events = pictures.make(wanted, client: context.client)
                    return try await EventStream(events, connection: context.connection, timing: timing)
                        .response(WireEventWriter<PictureEvent>())
                },
            ])
        router.resource(
            "/inkling/v1/pictures/:id",
            [
                .get: { request, context in
                    let id = try context.pathParameter("id")
                    if try request.wantsRecord { return try .wire(await pictures.picture(id)) }
                    let (picture, data) = try await pictures.file(of: id)
                    return Response(
                        status: .ok,
                        // What an id stands for never changes.
                        headers: [
                            .contentType: picture.format.mediaType,
                            .cacheControl: "private, max-age=31536000, immutable",
                        ],
                        body: .init(byteBuffer: ByteBuffer(bytes: data)))
                },
                .delete: { _, context in try .wire(await pictures.delete(context.pathParameter("id"))) },
            ])
    }
}

extension Request {
    /// Whether the record of a picture is asked for, and not its file.
    fileprivate var wantsRecord: Bool {
        get throws(Failure) {
            try queryFlag("recipe") || headers[.accept]?.contains("application/json") == true
        }
    }
}

extension PictureFormat {
    var mediaType: String { "image/\(rawValue)" }
}

extension PictureEvent: ServedEvent {
    var commits: Bool {
        switch self {
        case .queued, .loading, .notice: false
        default: true
        }
    }

    static func failure(_ error: AssistantError) -> Self { .failed(.init(error: error)) }
}
