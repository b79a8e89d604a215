/// A model that is to be had from a hub: body of `POST /inkling/v1/models/pull`.
public struct PullRequest: Codable, Sendable, Equatable {
    /// Such as `hf.co/owner/name:Q4_K_M`, `owner/name`, `owner/name/folder/file.gguf`, or a name of the catalogue.
    public var model: String
    /// By which name it is to be known; `nil` is the file's, or the repository's.
    public var name: String?
    /// The hub's address, where it is not the daemon's own.
    public var endpoint: String?
    /// Lets into what is not for everybody; `nil` is the daemon's own, for its own hub only.
    public var token: String?
    /// Asks nobody: only what is here already is had.
    public var offline: Bool?

    public init(
        model: String, name: String? = nil, endpoint: String? = nil, token: String? = nil,
        offline: Bool? = nil
    ) {
        self.model = model
        self.name = name
        self.endpoint = endpoint
        self.token = token
        self.offline = offline
    }
}
