import Assistant
import AssistantAPI

/// What llama-server tells of itself and of its model.
struct LlamaProps: Sendable {
    let model: ModelSummary
    let description: ChatModelDescription
    /// The longest sequence that the model takes, in tokens; while it isn't in memory, the longest it was made for.
    let contextLength: Int
    let settings: GenerationSettings

    /// - Parameters:
    ///   - name: A model's name or absolute path; `nil` means the default model. It need not be loaded.
    ///   - assistant: Who knows.
    /// - Throws: `modelNotFound`, `modelUnusable`; `invalidRequest` for a model that paints.
    init(_ name: String?, _ assistant: Assistant) async throws {
        let model = try await assistant.chatModel(name)
        let description = try await assistant.describe(model.path)
        let loaded = assistant.memory().models.first { $0.path == model.path }
        self.model = model
        self.description = description
        contextLength = loaded?.contextLength ?? description.contextLength
        settings = assistant.filled(GenerationSettings())
    }

    /// The answer of `GET /props`.
    var json: JSON {
        [
            "default_generation_settings": defaults, "total_slots": JSON(Assistant.answersAtOnce),
            "model_alias": .string(model.id), "model_path": .string(model.path),
            "modalities": ["vision": false, "audio": false], "endpoint_slots": true,
            "endpoint_props": false, "endpoint_metrics": true,
            "chat_template": .string(description.chatTemplate ?? ""), "chat_template_caps": [:],
            "bos_token": .string(description.beginOfText), "eos_token": .string(description.endOfText),
            "build_info": .string("inkling-" + Inkling.version), "is_sleeping": .bool(model.state != .loaded),
        ]
    }

    private var defaults: JSON {
        let next: JSON = [
            "has_next_token": true, "has_new_line": false, "n_remain": -1, "n_decoded": 0,
            "stopping_word": "",
        ]
        return [
            "id": 0, "id_task": -1, "n_ctx": JSON(contextLength), "speculative": false,
            "is_processing": false, "params": LlamaSettings.json(settings), "prompt": "", "next_token": next,
        ]
    }

    /// The answer of `GET /slots`: places for answers, of which so many are taken.
    func slots(taken: Int) -> JSON {
        .array(
            (0..<Assistant.answersAtOnce).map { index -> JSON in
                [
                    "id": JSON(index), "id_task": -1, "n_ctx": JSON(contextLength), "speculative": false,
                    "is_processing": .bool(index < taken),
                ]
            })
    }
}
