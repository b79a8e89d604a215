import Assistant
import AssistantAPI
import Hummingbird
import NIOCore

extension Routes {
    /// What has happened so far, for Prometheus: `/metrics`.
    func addMetrics(to router: Router<ServerContext>) {
        router.resource(
            "/metrics",
            [
                .get: { [assistant, requests] _, _ in
                    var metrics = MetricsText(assistant.metrics())
                    metrics.add(requests)
                    return Response(
                        status: .ok,
                        headers: [.contentType: MetricsText.mediaType, .cacheControl: "no-store"],
                        body: .init(byteBuffer: ByteBuffer(string: metrics.text)))
                }
            ])
    }
}
