/// A LoRA file that requests for pictures can name.
public struct LoRASummary: Codable, Sendable, Equatable {
    /// What `PictureRequest.LoRA.name` has to be.
    public var name: String
    public var path: String
    /// What the file says about itself; nothing where it cannot be read.
    public var metadata: [String: String]

    public init(name: String, path: String, metadata: [String: String] = [:]) {
        self.name = name
        self.path = path
        self.metadata = metadata
    }
}
