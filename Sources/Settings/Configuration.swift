/// Everything that a person can set, with its defaults.
///
/// `Config/inkling.toml` documents the same keys for users; a test holds the two equal. A value comes from, in
/// falling precedence: flags, `INKLING_*` variables, the configuration file, the default.
///
/// For example: `Configuration.load(environment: ProcessInfo.processInfo.environment)`.
public struct Configuration: Sendable, Equatable {
    public var server = Server()
    public var chat = Chat()
    public var picture = Picture()
    public var live = Live()
    public var memory = Memory()
    public var engine = Engine()
    public var models = Models()
    public var history = History()
    public var log = Log()

    /// The defaults.
    public init() {}

    /// How clients reach the daemon.
    public struct Server: Sendable, Equatable {
        /// Path of the Unix socket; `nil` means `Paths.socket`.
        public var socket: String?
        /// Where to listen beside the socket; `nil` means nowhere until the page is asked for.
        public var listen: LoopbackAddress?
        /// Whether programs that come by loopback must show the key.
        public var requireKey = true
        /// How many requests for answers, and as many for pictures, may wait; one more is answered 503.
        public var queueDepth = 16
        /// Longest accepted body of a request, in bytes.
        public var maxBodyBytes = 1 << 20
        /// Longest accepted body of a request that may carry pictures, in bytes.
        public var maxPictureBodyBytes = 32 << 20
        /// How long running answers may go on once the daemon was asked to end.
        public var shutdownGrace: Duration = .seconds(10)
    }

    /// The model that answers, and how its tokens are chosen where a request does not say.
    public struct Chat: Sendable, Equatable {
        /// A known name or a path, for requests that name none.
        public var model = "SmolLM2-135M-Instruct"
        /// System prompt of new conversations; `nil` means the chat format's own default.
        public var system: String?
        /// Tokens of context; 0 means the model's own length, as far as `cacheMemory` allows.
        public var contextLength = 0
        /// In what precision keys and values are kept.
        public var kvCache = CachePrecision.f16
        /// Bytes that the key/value caches of all conversations may take together.
        public var cacheMemory = 2 << 30
        /// Most tokens of one answer; `nil` means as many as the context has room for.
        public var maxTokens: Int?
        /// 0 always takes the likeliest token.
        public var temperature = 0.7
        /// Only this many of the likeliest tokens are considered; 0 is off.
        public var topK = 40
        /// Only the likeliest tokens that have this probability together are considered; 1 is off.
        public var topP = 0.9
        /// Only tokens at least this likely, relative to the likeliest, are considered; 0 is off.
        public var minP = 0.05
        /// Divides the logits of tokens that occurred recently; 1 is off.
        public var repeatPenalty = 1.0
        /// How many recent tokens the penalties look at.
        public var repeatLastN = 64
        /// Subtracted from the logit of every token that occurred recently.
        public var presencePenalty = 0.0
        /// Subtracted from a token's logit for each time that it occurred recently.
        public var frequencyPenalty = 0.0
        /// Whether the model may answer with a picture in conversations, where a message does not say.
        public var pictures = false
    }

    /// The model that paints, and how its files are written.
    public struct Picture: Sendable, Equatable {
        /// A known name or a path, for requests that name none; `nil` means the first one that is there.
        public var model: String?
        /// Of files, where a request does not say.
        public var format = Format.png
        /// Bytes that a model's weights and one picture on its way may take together; `nil` means what is free.
        public var memory: Int?

        /// Formats that pictures are written in.
        public enum Format: String, Sendable, CaseIterable {
            case png, webp
        }
    }

    /// Pictures that follow what is typed.
    public struct Live: Sendable, Equatable {
        /// Milliseconds from a key to its first frame, where a canvas names none.
        public var budget = 300
        /// When a canvas that nobody types on or looks at is closed.
        public var idle: Duration = .seconds(1800)
    }

    /// What all models and caches may take together, and for how long.
    public struct Memory: Sendable, Equatable {
        /// In bytes; `nil` means what the machine, or the daemon's control group, suggests.
        public var budget: Int?
        /// How long a model stays after its last use, where a request does not say; `nil` means for ever.
        public var keepAlive: Duration? = .seconds(300)
        /// Names of models that stay in memory once they were used.
        public var pinned: [String] = []
    }

    /// Element type of the key/value cache.
    public enum CachePrecision: String, Sendable, CaseIterable {
        case f16
        case q8 = "q8_0"
    }

    /// The share of the machine that the engine takes.
    public struct Engine: Sendable, Equatable {
        /// Threads that compute; 0 means as many as affinity and cgroup allow.
        public var threads = 0
        /// Scheduling priority, 0 (normal) to 19 (last).
        public var nice = 5
    }

    /// Where known model names are looked up.
    public struct Models: Sendable, Equatable {
        /// Folders that are searched before `Paths.models`, in this order.
        public var directories: [String] = []
    }

    /// What is kept of conversations.
    public struct History: Sendable, Equatable {
        /// Whether conversations outlive the daemon at all.
        public var enabled = true
        /// Path of the database; `nil` means `Paths.history`.
        public var path: String?
        /// For how many seconds a deleted conversation can be brought back.
        public var undoSeconds = 600
    }

    /// What the daemon writes about itself.
    public struct Log: Sendable, Equatable {
        public var level = Level.info

        /// Least severe kind of line that is written.
        public enum Level: String, Sendable, CaseIterable {
            case trace, debug, info, notice, warning, error, critical
        }
    }
}
