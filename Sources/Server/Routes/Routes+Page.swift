import AssistantAPI
import HTTPTypes
import Hummingbird
import NIOCore

extension Routes {
    /// The page: its files, and the link that opens it.
    func addPage(to router: Router<ServerContext>) {
        router.resource(
            "/inkling/v1/page",
            [.post: { [openPage] _, _ in try .wire(PageLink(url: try openPage()), status: .created) }])
        router.resource(
            "/",
            [
                .get: { [page] request, _ in
                    // Ollama's clients look here whether there is somebody; only people want to see a page.
                    guard let page, request.wantsPage else { return Self.probe }
                    return try page.response(for: "index.html", to: request)
                }
            ])
        guard let page else { return }
        router.resource(
            "/page/:name",
            [
                .get: { request, context in
                    try page.response(for: context.pathParameter("name"), to: request)
                }
            ])
    }

    /// The words that some clients of Ollama's compare.
    private static var probe: Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: "Ollama is running")))
    }
}
