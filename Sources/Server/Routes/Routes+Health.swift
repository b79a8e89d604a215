import Assistant
import AssistantAPI
import HTTPTypes
import Hummingbird

extension Routes {
    /// State, version and orderly end.
    func addHealth(to router: Router<ServerContext>) {
        let health: Handler = { [assistant] _, _ in try .wire(assistant.health()) }
        router.resource("/health", [.get: health])
        router.resource("/v1/health", [.get: health])
        router.resource(
            "/inkling/v1/version",
            [
                .get: { [assistant] _, _ in
                    let health = assistant.health()
                    return .json(["version": .string(health.version), "pid": JSON(Int(health.pid))])
                }
            ])
        router.resource(
            "/inkling/v1/shutdown",
            [
                .post: { [requestStop] _, _ in
                    requestStop()
                    return .json(["status": "stopping"], status: .accepted)
                }
            ])
    }
}
