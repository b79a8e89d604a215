import AssistantAPI

// What is said of a model that cannot be had.

extension ModelCatalog {
    static func noun(_ kind: ModelSummary.Kind) -> String {
        kind == .chat ? "model" : "model for pictures"
    }

    func advice(_ kind: ModelSummary.Kind) -> String {
        let what =
            switch kind {
            case .chat: "a .gguf file or a Hugging Face directory"
            case .picture: "a Stable Diffusion model (a diffusers directory, or a .safetensors checkpoint)"
            }
        return "Put \(what) into \(directories.last ?? "the models directory"), "
            + "or name one by its absolute path."
    }

    func missingPath(_ path: String, _ kind: ModelSummary.Kind) -> AssistantError {
        let what =
            switch kind {
            case .chat: "GGUF file and no directory with config.json and safetensors"
            case .picture: "diffusers directory (with model_index.json) and no Stable Diffusion checkpoint"
            }
        return AssistantError(.modelNotFound, "There is no \(what) at \(path).", parameter: "model")
    }

    static func otherKind(_ name: String, _ wanted: ModelSummary.Kind) -> AssistantError {
        AssistantError(
            .invalidRequest,
            wanted == .chat
                ? "The model \(name) paints pictures and answers no questions; ask POST /v1/images/generations."
                : "The model \(name) answers questions and paints no pictures.",
            parameter: "model")
    }

    func unknown(
        _ name: String, among names: [String], _ kind: ModelSummary.Kind
    ) -> AssistantError {
        let nearest = names.sorted { Self.distance(name, $0) < Self.distance(name, $1) }
        guard let best = nearest.first else {
            return AssistantError(
                .modelNotFound, "There is no \(Self.noun(kind)) \"\(name)\". \(advice(kind))",
                parameter: "model")
        }
        let list = nearest.prefix(10).joined(separator: ", ")
        let question = Self.distance(name, best) <= max(2, name.count / 2) ? " Did you mean \(best)?" : ""
        return AssistantError(
            .modelNotFound, "There is no \(Self.noun(kind)) \"\(name)\".\(question) There is: \(list).",
            parameter: "model"
        )
    }
}
