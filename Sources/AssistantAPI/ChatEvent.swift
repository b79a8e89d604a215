/// A sentence for the user about the answer or picture that is being made.
public struct Notice: Codable, Sendable, Equatable {
    /// What it is about, for programs.
    ///
    /// Of answers: `context_shifted`, `truncated`, `not_saved`. Of pictures: `prompt_cut` (words that the text
    /// encoder does not see), `model_warning` (something was guessed about a model), `not_saved`.
    public var code: String
    public var message: String

    public init(code: String, message: String) {
        self.code = code
        self.message = message
    }
}

/// What the event stream of `POST /inkling/v1/conversations/{id}/messages` carries.
///
/// On the wire each is a server-sent event whose `event:` is the case's name and whose `data:` is the value
/// as JSON. The last one is `completed` or `failed`.
public enum ChatEvent: Sendable, Equatable {
    /// The user's message is safe in the history (after COMMIT), and the answer has its id.
    case accepted(Accepted)
    case queued(Queued)
    case loading(Loading)
    case prefill(PrefillProgress)
    case notice(Notice)
    case token(Token)
    /// The model answers with a picture, which is being painted; any number of times.
    case painting(Painting)
    /// The picture that the answer is.
    case picture(PictureEvent.Finished)
    /// The answer as it stands in the history, also when it was cancelled.
    case completed(Completed)
    case failed(Failure)

    public struct Accepted: Codable, Sendable, Equatable {
        /// `nil` when an answer is regenerated.
        public var message: Message?
        public var answer: Message.ID
        public var model: String

        public init(message: Message?, answer: Message.ID, model: String) {
            self.message = message
            self.answer = answer
            self.model = model
        }
    }

    public struct Queued: Codable, Sendable, Equatable {
        public var ahead: Int

        public init(ahead: Int) { self.ahead = ahead }
    }

    public struct Loading: Codable, Sendable, Equatable {
        public var fraction: Double

        public init(fraction: Double) { self.fraction = fraction }
    }

    public struct Token: Codable, Sendable, Equatable {
        public var text: String

        public init(text: String) { self.text = text }
    }

    public struct Painting: Codable, Sendable, Equatable {
        /// What the model wants painted.
        public var prompt: String
        /// Denoising steps that are done.
        public var step: Int
        public var steps: Int

        public init(prompt: String, step: Int, steps: Int) {
            self.prompt = prompt
            self.step = step
            self.steps = steps
        }
    }

    public struct Completed: Codable, Sendable, Equatable {
        public var message: Message
        public var timings: Timings
        /// Of an answer that is a picture: where the time of painting it went.
        public var pictureTimings: PictureTimings?

        public init(message: Message, timings: Timings, pictureTimings: PictureTimings? = nil) {
            self.message = message
            self.timings = timings
            self.pictureTimings = pictureTimings
        }
    }

    public struct Failure: Codable, Sendable, Equatable {
        public var error: AssistantError
        /// What had been said until then, as it stands in the history.
        public var message: Message?

        public init(error: AssistantError, message: Message?) {
            self.error = error
            self.message = message
        }
    }
}
