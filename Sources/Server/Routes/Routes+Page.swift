import AssistantAPI
import HTTPTypes
import Hummingbird

extension Routes {
    /// The page: its files, and the link that opens it.
    func addPage(to router: Router<ServerContext>) {
        router.resource(
            "/inkling/v1/page",
            [.post: { [openPage] _, _ in try .wire(PageLink(url: try openPage()), status: .created) }])
        guard let page else { return }
        router.resource("/", [.get: { request, _ in try page.response(for: "index.html", to: request) }])
        router.resource(
            "/page/:name",
            [
                .get: { request, context in
                    try page.response(for: context.pathParameter("name"), to: request)
                }
            ])
    }
}
