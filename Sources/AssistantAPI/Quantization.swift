/// Asks for a quantised copy of a chat model: body of `POST /inkling/v1/models/quantize`.
public struct QuantizeRequest: Codable, Sendable, Equatable {
    /// A model's name, or the absolute path of a GGUF file or a Hugging Face directory, in F32, F16 or BF16.
    public var source: String
    /// `Q8_0`, `Q6_K`, `Q4_K_M` or `Q4_0`, in any case; nil is `Q4_K_M`.
    public var type: String?
    /// The new model's name, in the models' folder; nil is the source's with the type behind it.
    public var name: String?
    /// The absolute path of a file instead of a name.
    public var output: String?

    public init(source: String, type: String? = nil, name: String? = nil, output: String? = nil) {
        self.source = source
        self.type = type
        self.name = name
        self.output = output
    }
}

/// What happens while a model is quantised; the last event is `completed` or `failed`.
///
/// On the wire each is a server-sent event whose `event:` is the case's name and whose `data:` is the value as JSON.
public enum QuantizeEvent: Sendable, Equatable {
    /// Others are before this request.
    case queued(ChatEvent.Queued)
    /// The model can be read and there is room for the file.
    case started(Started)
    /// Some of it is done.
    case progress(Progress)
    /// Once, last: the file is whole and on the disk.
    case completed(Completed)
    /// Once, last, instead of `completed`: there is no file.
    case failed(Failure)

    public struct Started: Codable, Sendable, Equatable {
        /// As llama.cpp calls it.
        public var type: String
        /// Where the file will lie.
        public var path: String
        /// Of the source's weights.
        public var sourceBytes: Int
        /// What the file will have.
        public var bytes: Int

        public init(type: String, path: String, sourceBytes: Int, bytes: Int) {
            self.type = type
            self.path = path
            self.sourceBytes = sourceBytes
            self.bytes = bytes
        }
    }

    public struct Progress: Codable, Sendable, Equatable {
        /// Bytes of the source's weights that are done.
        public var done: Int
        public var total: Int

        public init(done: Int, total: Int) {
            self.done = done
            self.total = total
        }
    }

    public struct Completed: Codable, Sendable, Equatable {
        /// By which requests ask for the new model.
        public var model: String
        public var path: String
        public var type: String
        public var sourceBytes: Int
        public var bytes: Int
        /// What it took, waiting not counted.
        public var milliseconds: Double

        public init(
            model: String, path: String, type: String, sourceBytes: Int, bytes: Int, milliseconds: Double
        ) {
            self.model = model
            self.path = path
            self.type = type
            self.sourceBytes = sourceBytes
            self.bytes = bytes
            self.milliseconds = milliseconds
        }
    }

    public struct Failure: Codable, Sendable, Equatable {
        public var error: AssistantError

        public init(error: AssistantError) { self.error = error }
    }
}
