/// A model that can answer, loaded or not.
public struct ModelSummary: Codable, Sendable, Equatable {
    public enum State: String, Codable, Sendable {
        case unloaded, loading, loaded
    }

    /// The name by which requests ask for it.
    public var id: String
    public var path: String
    public var state: State
    /// Size of its files.
    public var bytes: Int
    /// `nil` until the file was looked at.
    public var details: Details?

    /// What the model's file says of itself.
    public struct Details: Codable, Sendable, Equatable {
        public var architecture: String
        public var parameterCount: Int
        public var contextLength: Int
        public var vocabularySize: Int
        public var hiddenSize: Int
        public var layerCount: Int
        public var quantization: String

        public init(
            architecture: String, parameterCount: Int, contextLength: Int, vocabularySize: Int,
            hiddenSize: Int, layerCount: Int, quantization: String
        ) {
            self.architecture = architecture
            self.parameterCount = parameterCount
            self.contextLength = contextLength
            self.vocabularySize = vocabularySize
            self.hiddenSize = hiddenSize
            self.layerCount = layerCount
            self.quantization = quantization
        }
    }

    public init(id: String, path: String, state: State, bytes: Int, details: Details? = nil) {
        self.id = id
        self.path = path
        self.state = state
        self.bytes = bytes
        self.details = details
    }
}

/// The daemon's state, as `GET /health` tells it.
public struct Health: Codable, Sendable, Equatable {
    /// `ok` once the history is open.
    public var status: String
    public var version: String
    public var pid: Int32
    public var models: [Model]

    public struct Model: Codable, Sendable, Equatable {
        public var id: String
        public var state: ModelSummary.State

        public init(id: String, state: ModelSummary.State) {
            self.id = id
            self.state = state
        }
    }

    public init(status: String, version: String, pid: Int32, models: [Model]) {
        self.status = status
        self.version = version
        self.pid = pid
        self.models = models
    }
}

/// The version of this build; client and daemon compare theirs at connect.
public enum Inkling {
    public static let version = "0.1.0"
}
