public import FoundationEssentials

/// All that is known of one model: body of the answer to `GET /inkling/v1/models/{name}`.
public struct ModelDescription: Codable, Sendable, Equatable {
    public var model: ModelSummary
    /// Other names that a person gave it.
    public var aliases: [String]
    /// Where it was pulled from, if it was.
    public var origin: Origin?

    /// Where a model was pulled from.
    public struct Origin: Codable, Sendable, Equatable {
        /// As `owner/name`.
        public var repository: String
        /// The commit.
        public var revision: String
        public var pulledAt: Date
        public var files: [PullEvent.File]

        public init(repository: String, revision: String, pulledAt: Date, files: [PullEvent.File]) {
            self.repository = repository
            self.revision = revision
            self.pulledAt = pulledAt
            self.files = files
        }
    }

    public init(model: ModelSummary, aliases: [String], origin: Origin? = nil) {
        self.model = model
        self.aliases = aliases
        self.origin = origin
    }
}

/// Another name for a model: body of `POST /inkling/v1/models/copy`.
public struct ModelAlias: Codable, Sendable, Equatable {
    /// A name or absolute path.
    public var source: String
    /// The name that it also has from now on.
    public var destination: String

    public init(source: String, destination: String) {
        self.source = source
        self.destination = destination
    }
}

/// What a deletion took away: body of the answer to `DELETE /inkling/v1/models/{name}`.
public struct DeletedModel: Codable, Sendable, Equatable {
    /// The model's own name, or the other name that it has no longer.
    public var name: String
    /// Where its files lay; `nil` where only another name went.
    public var path: String?
    /// Of the files.
    public var bytes: Int

    public init(name: String, path: String? = nil, bytes: Int = 0) {
        self.name = name
        self.path = path
        self.bytes = bytes
    }
}
