public import FoundationEssentials

/// What happens while pictures are made, in this order for each picture; the last event is `completed` or `failed`.
///
/// On the wire each is a server-sent event whose `event:` is the case's name and whose `data:` is the value as JSON.
public enum PictureEvent: Sendable, Equatable {
    /// Others are before this request.
    case queued(ChatEvent.Queued)
    /// The model is being loaded.
    case loading(ChatEvent.Loading)
    /// Something the user should know, such as words of the prompt that the model doesn't see.
    case notice(Notice)
    /// Work on a picture begins.
    case started(Started)
    /// A part of the work is done.
    case progress(Progress)
    /// A picture on its way.
    case partial(Partial)
    /// A finished picture, with its file.
    case picture(Finished)
    /// Once, last.
    case completed(Completed)
    /// Once, last, instead of `completed`; pictures that were finished before are kept.
    case failed(Failure)

    public struct Started: Codable, Sendable, Equatable {
        /// Which of the request's pictures, from 0.
        public var index: Int
        /// Under which the picture can be had again once it is finished.
        public var id: Picture.ID
        public var recipe: Recipe
        /// Tokens of the prompts, as the text encoder counts them.
        public var promptTokens: Int

        public init(index: Int, id: Picture.ID, recipe: Recipe, promptTokens: Int = 0) {
            self.index = index
            self.id = id
            self.recipe = recipe
            self.promptTokens = promptTokens
        }
    }

    /// The parts of the work on one picture.
    public enum Stage: String, Codable, Sendable {
        case encode, denoise, decode
    }

    public struct Progress: Codable, Sendable, Equatable {
        public var index: Int
        public var stage: Stage
        /// Steps (of `denoise`) or parts (of the others) that are done.
        public var done: Int
        public var total: Int
        /// What the last step or part took.
        public var milliseconds: Double

        public init(index: Int, stage: Stage, done: Int, total: Int, milliseconds: Double) {
            self.index = index
            self.stage = stage
            self.done = done
            self.total = total
            self.milliseconds = milliseconds
        }
    }

    public struct Partial: Codable, Sendable, Equatable {
        public var index: Int
        /// Which of the partial pictures of this picture, from 0.
        public var number: Int
        public var step: Int
        public var format: PictureFormat
        public var width: Int
        public var height: Int
        public var data: Data

        public init(
            index: Int, number: Int, step: Int, format: PictureFormat, width: Int, height: Int, data: Data
        ) {
            self.index = index
            self.number = number
            self.step = step
            self.format = format
            self.width = width
            self.height = height
            self.data = data
        }
    }

    public struct Finished: Codable, Sendable, Equatable {
        public var index: Int
        public var picture: Picture
        /// The file, as `GET /inkling/v1/pictures/{id}` gives it.
        public var data: Data

        public init(index: Int, picture: Picture, data: Data) {
            self.index = index
            self.picture = picture
            self.data = data
        }
    }

    public struct Failure: Codable, Sendable, Equatable {
        public var error: AssistantError

        public init(error: AssistantError) { self.error = error }
    }

    public struct Completed: Codable, Sendable, Equatable {
        /// `stop`, or `cancelled` when the client asked to stop.
        public var finish: FinishReason
        public var timings: PictureTimings
        /// Tokens of the prompts, as the text encoder counts them.
        public var promptTokens: Int

        public init(finish: FinishReason, timings: PictureTimings, promptTokens: Int) {
            self.finish = finish
            self.timings = timings
            self.promptTokens = promptTokens
        }
    }
}

/// Where the time of a request for pictures went, in milliseconds.
public struct PictureTimings: Codable, Sendable, Equatable {
    public var queued: Double
    public var loading: Double
    /// Text encoder, and the encoder of a start picture.
    public var encode: Double
    public var denoise: Double
    public var decode: Double
    public var total: Double

    public init(
        queued: Double, loading: Double, encode: Double, denoise: Double, decode: Double, total: Double
    ) {
        self.queued = queued
        self.loading = loading
        self.encode = encode
        self.denoise = denoise
        self.decode = decode
        self.total = total
    }
}
