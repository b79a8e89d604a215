import Assistant
import AssistantAPI
import HostProcess
import Hummingbird

extension Routes {
    /// The models there are, in OpenAI's shape and in our own.
    func addModels(to router: Router<ServerContext>) {
        router.resource(
            "/inkling/v1/models",
            [.get: { [assistant] _, _ in try .wire(["models": await assistant.models()]) }])
        router.resource(
            "/inkling/v1/models/loaded", [.get: { [assistant] _, _ in try .wire(assistant.memory()) }])
        router.resource(
            "/inkling/v1/models/unload",
            [
                .post: { [assistant, bodyLimit] request, _ in
                    let fields = try await request.fields(upTo: bodyLimit)
                    let name = try await assistant.unload(try fields.requiredString("model"))
                    return try .wire(["model": name])
                }
            ])
        router.resource(
            "/inkling/v1/models/pin",
            [
                .post: { [assistant, bodyLimit] request, _ in
                    let fields = try await request.fields(upTo: bodyLimit)
                    let isPinned = try fields.bool("pinned") ?? true
                    let name = try await assistant.pin(try fields.requiredString("model"), isPinned)
                    return .json(["model": .string(name), "pinned": .bool(isPinned)])
                }
            ])
        let list: Handler = { [assistant] _, _ in
            .json(["object": "list", "data": .array(await assistant.models().map(\.openAI))])
        }
        router.resource("/v1/models", [.get: list])
        // As llama-server's router has it.
        router.resource("/models", [.get: list])
        // A model can be an absolute path, with its slashes written as they are or as %2F.
        router.resource(
            "/v1/models/**",
            [
                .get: { [assistant] _, context in
                    .json(try await assistant.model(context.remainingPath()).openAI)
                }
            ])
    }
}

extension ModelSummary {
    /// OpenAI's model object, with llama-server's `meta`, `architecture`, `path` and `status`.
    fileprivate var openAI: JSON {
        var members: [JSON.Member] = [
            .init(name: "id", value: .string(id)), .init(name: "object", value: "model"),
            .init(name: "created", value: JSON(modificationTime(ofFileAt: path) ?? 0)),
            .init(name: "owned_by", value: "inkling"),
        ]
        if let details {
            let meta: JSON = [
                "n_vocab": JSON(details.vocabularySize), "n_ctx_train": JSON(details.contextLength),
                "n_embd": JSON(details.hiddenSize), "n_params": JSON(details.parameterCount),
                "size": JSON(bytes),
            ]
            members.append(.init(name: "meta", value: meta))
        } else if let pictureDetails {
            let meta: JSON = [
                "n_params": JSON(pictureDetails.parameterCount), "size": JSON(bytes),
                "family": .string(pictureDetails.family), "width": JSON(pictureDetails.width),
                "height": JSON(pictureDetails.height),
            ]
            members.append(.init(name: "meta", value: meta))
        }
        let architecture: JSON =
            switch kind {
            case .chat: ["input_modalities": ["text"], "output_modalities": ["text"]]
            case .picture: ["input_modalities": ["text", "image"], "output_modalities": ["image"]]
            }
        members.append(.init(name: "architecture", value: architecture))
        members.append(.init(name: "path", value: .string(path)))
        members.append(.init(name: "status", value: ["value": .string(state.rawValue)]))
        return .object(members)
    }
}
