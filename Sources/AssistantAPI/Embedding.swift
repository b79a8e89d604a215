/// Texts whose vectors are asked for.
public struct EmbeddingRequest: Sendable, Equatable {
    /// A known name or an absolute path; `nil` means the default model.
    public var model: String?
    /// Texts or token ids.
    public var inputs: [CompletionRequest.Prompt]
    /// So many elements from a vector's beginning, made a vector of length 1; `nil` is the model's own width.
    public var dimensions: Int?
    /// Cuts the end of what is longer than the context, which is an error otherwise.
    public var truncates: Bool
    /// How long the model stays in memory afterwards; `nil` means the configuration's.
    public var keepAlive: KeepAlive?

    public init(
        model: String? = nil, inputs: [CompletionRequest.Prompt], dimensions: Int? = nil,
        truncates: Bool = false, keepAlive: KeepAlive? = nil
    ) {
        self.model = model
        self.inputs = inputs
        self.dimensions = dimensions
        self.truncates = truncates
        self.keepAlive = keepAlive
    }
}

/// The vectors of texts, each of length 1, in the order of the texts.
public struct Embeddings: Sendable, Equatable {
    /// The model's public name.
    public var model: String
    public var vectors: [[Float]]
    /// Of all texts together.
    public var promptTokens: Int
    public var timings: Timings

    public init(model: String, vectors: [[Float]], promptTokens: Int, timings: Timings) {
        self.model = model
        self.vectors = vectors
        self.promptTokens = promptTokens
        self.timings = timings
    }
}
