/// A model that answers or paints, loaded or not.
public struct ModelSummary: Codable, Sendable, Equatable {
    /// What a model makes.
    public enum Kind: String, Codable, Sendable {
        case chat, picture
    }

    public enum State: String, Codable, Sendable {
        case unloaded, loading, loaded
    }

    /// Who keeps a model's files.
    public enum Source: String, Codable, Sendable {
        /// Our own folder, into which models are pulled.
        case inkling
        /// A folder of `models.directories`.
        case configured
        /// It came with the program.
        case shipped
        case ollama
        case huggingFace = "hugging_face"
        /// It is known by its path only.
        case elsewhere
    }

    /// The name by which requests ask for it.
    public var id: String
    public var path: String
    public var kind: Kind
    public var state: State
    /// Size of its files.
    public var bytes: Int
    /// Of a chat model; `nil` where the file cannot be read.
    public var details: Details?
    /// Of a picture model; `nil` where its files cannot be read.
    public var pictureDetails: PictureDetails?
    public var source: Source?
    /// Of another name that a person gave a model: the model's own.
    public var aliasOf: String?

    /// What a chat model's file says of itself.
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

    /// What a picture model's files say of it.
    public struct PictureDetails: Codable, Sendable, Equatable {
        /// `sd1`, `sd2`, `sdxl` and so on.
        public var family: String
        public var parameterCount: Int
        /// The size that it was made for, in pixels.
        public var width: Int
        /// The size that it was made for, in pixels.
        public var height: Int
        /// Sizes are multiples of this.
        public var factor: Int
        /// Used where a request names none.
        public var scheduler: String
        /// `epsilon`, `v_prediction` or `sample`.
        public var prediction: String
        /// `full`, and `tiny` where there is one.
        public var decoders: [String]

        public init(
            family: String, parameterCount: Int, width: Int, height: Int, factor: Int, scheduler: String,
            prediction: String, decoders: [String]
        ) {
            self.family = family
            self.parameterCount = parameterCount
            self.width = width
            self.height = height
            self.factor = factor
            self.scheduler = scheduler
            self.prediction = prediction
            self.decoders = decoders
        }
    }

    public init(
        id: String, path: String, kind: Kind = .chat, state: State, bytes: Int, details: Details? = nil,
        pictureDetails: PictureDetails? = nil, source: Source? = nil, aliasOf: String? = nil
    ) {
        self.id = id
        self.path = path
        self.kind = kind
        self.state = state
        self.bytes = bytes
        self.details = details
        self.pictureDetails = pictureDetails
        self.source = source
        self.aliasOf = aliasOf
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
