/// A LoRA file and how much of it is merged into the model's weights.
public struct LoRAFile: Sendable, Hashable {
    /// Path of a `.safetensors` file.
    public var path: String
    /// 1 is the file as it was trained.
    public var weight: Double

    public init(path: String, weight: Double = 1) {
        self.path = path
        self.weight = weight
    }
}

/// What decides about a model beside its own files, when it is loaded.
public struct LoadOptions: Sendable, Hashable {
    /// What the network gives, where the files don't say it (or say it wrongly).
    public var prediction: Prediction?
    /// Merged into the weights in this order.
    public var loras: [LoRAFile] = []
    /// Path of an AutoencoderTiny (TAESD or its SDXL sister): a directory or a `.safetensors` file.
    public var tinyDecoder: String?

    public init() {}
}
