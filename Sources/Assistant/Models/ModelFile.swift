import AssistantAPI

/// A model on disk and the name by which requests ask for it.
struct ModelFile: Sendable, Hashable {
    /// The file's name without its ending, the directory's name, what another program calls it, or the absolute path of
    /// a model elsewhere.
    var name: String
    /// A GGUF file (the first one of a split model), or a directory with config.json and safetensors; of a picture
    /// model a diffusers directory or a single checkpoint in safetensors.
    var path: String
    var kind = ModelSummary.Kind.chat
    /// Who keeps it.
    var source = ModelSummary.Source.elsewhere
}

extension ModelSummary.Source {
    /// Whether another program put it there, for itself first of all.
    var isForeign: Bool { self == .ollama || self == .huggingFace }
}
