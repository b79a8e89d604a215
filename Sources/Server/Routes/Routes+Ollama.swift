import Assistant
import AssistantAPI
import FoundationEssentials
import Hummingbird

extension Routes {
    /// Ollama's API, as far as it tells of models: `/api/version`, `/api/tags`, `/api/ps`, `/api/show`.
    func addOllama(to router: Router<ServerContext>) {
        // Clients ask for the least version that has what they need: it is that of the API, not ours.
        let version: JSON = ["version": "0.14.0", "inkling": .string(Inkling.version)]
        router.resource("/api/version", [.get: { _, _ in .json(version) }])
        router.resource(
            "/api/tags",
            [
                .get: { [assistant] _, _ in
                    .json(["models": .array(await assistant.models().map { OllamaModel(summary: $0).listed })]
                    )
                }
            ])
        router.resource(
            "/api/ps",
            [
                .get: { [assistant] _, _ in
                    var models: [JSON] = []
                    for loaded in assistant.memory().models where loaded.state == .loaded {
                        // Its file may be gone by now.
                        guard let summary = try? await assistant.model(loaded.path) else { continue }
                        models.append(OllamaModel(summary: summary).loaded(loaded, now: Date()))
                    }
                    return .json(["models": .array(models)])
                }
            ])
        router.resource(
            "/api/show",
            [
                .post: { [assistant, bodyLimit] request, _ in
                    let name = try OllamaCall.model(await request.fields(upTo: bodyLimit))
                    let summary = try await assistant.model(name)
                    let chat = summary.kind == .chat ? try await assistant.describe(name) : nil
                    return .json(OllamaModel(summary: summary).shown(chat))
                }
            ])
    }
}
