public import FoundationEssentials

/// A picture that follows a text while it is typed: body of the answers to `/inkling/v1/canvases/{id}`.
///
/// A canvas lives in the daemon's memory; what is committed is kept in the history.
public struct Canvas: Codable, Sendable, Equatable, Identifiable {
    /// Opaque, unique and URL-safe.
    public var id: String
    /// The text as it stands, and how often the client has changed it.
    public var prompt: Prompt
    public var settings: CanvasSettings
    /// What is rendered for one text, one after the other; empty until the model is loaded and measured.
    public var stages: [CanvasStage]
    /// SHA-256 of the start picture's file, in hexadecimal, where there is one.
    public var initImage: String?
    /// The conversation that committed pictures go to.
    public var conversation: Conversation.ID?
    public var createdAt: Date

    /// What was typed.
    public struct Prompt: Codable, Sendable, Equatable {
        public var text: String
        /// Counts the client's edits from 1, which is also the text that a canvas is opened with; one that is not above the
        /// newest is ignored.
        public var revision: Int

        public init(text: String = "", revision: Int = 0) {
            self.text = text
            self.revision = revision
        }
    }

    public init(
        id: String, prompt: Prompt = Prompt(), settings: CanvasSettings, stages: [CanvasStage] = [],
        initImage: String? = nil, conversation: Conversation.ID? = nil, createdAt: Date
    ) {
        self.id = id
        self.prompt = prompt
        self.settings = settings
        self.stages = stages
        self.initImage = initImage
        self.conversation = conversation
        self.createdAt = createdAt
    }
}

/// How a canvas paints; fields that are `nil` are the model's own defaults.
///
/// Body of `POST /inkling/v1/canvases` (with `conversation`, and `text` to begin with) and of
/// `PATCH /inkling/v1/canvases/{id}`, where the fields that are there are changed.
public struct CanvasSettings: Codable, Sendable, Equatable {
    /// A known name or an absolute path; `nil` means the default picture model.
    public var model: String?
    /// Of the settled picture, in pixels.
    public var width: Int?
    /// Of the settled picture, in pixels.
    public var height: Int?
    /// Of the settled picture.
    public var steps: Int?
    /// The noise that every frame begins with; 0 where a client names none, so that compositions stay.
    public var seed: UInt64?
    public var scheduler: String?
    public var guidanceScale: Double?
    /// Of the settled picture, `full` or `tiny`.
    public var decoder: String?
    public var negativePrompt: String?
    /// A PNG or WebP file to start from; an empty one takes it away.
    ///
    /// Answers leave it out: `Canvas.initImage` says which one it is.
    public var initImage: Data?
    /// How much of the start picture is painted anew, above 0 to 1.
    public var strength: Double?
    /// Of the frames: `webp` (default) or `png`.
    public var format: PictureFormat?
    /// Milliseconds from a keystroke to its first frame that the drafts are chosen for.
    public var budget: Double?

    public init() {}
}

/// Body of `POST /inkling/v1/canvases`.
public struct CanvasDraft: Codable, Sendable, Equatable {
    public var settings: CanvasSettings
    /// The conversation that committed pictures go to.
    public var conversation: Conversation.ID?

    public init(settings: CanvasSettings = CanvasSettings(), conversation: Conversation.ID? = nil) {
        self.settings = settings
        self.conversation = conversation
    }
}

/// One rung of a canvas's ladder: what is rendered, and what that costs here.
public struct CanvasStage: Codable, Sendable, Equatable {
    /// `draft`, `better` or `settled`.
    public var name: Name
    /// In pixels.
    public var width: Int
    /// In pixels.
    public var height: Int
    public var steps: Int
    /// `full` or `tiny`.
    public var decoder: String
    /// `blank` where the prompt has the padding of no prompt.
    public var textPadding: String?
    /// Milliseconds that it will take, as measured on this machine.
    public var expected: Double

    public enum Name: String, Codable, Sendable, CaseIterable {
        case draft, better, settled
    }

    public init(name: Name, width: Int, height: Int, steps: Int, decoder: String, expected: Double) {
        self.name = name
        self.width = width
        self.height = height
        self.steps = steps
        self.decoder = decoder
        self.expected = expected
    }
}

/// Everything that decides how a frame looks: the same recipe gives the same frame again.
public struct FrameRecipe: Codable, Sendable, Equatable {
    public var recipe: Recipe
    /// Of a frame that did not start from noise alone.
    public var start: Start?

    /// Where a warm-started frame began.
    public struct Start: Codable, Sendable, Equatable {
        /// Number of the frame whose latents it began with.
        public var parent: Int
        /// How much of the way from noise was taken anew, above 0 to 1, as a start picture's `strength`.
        public var level: Double
        /// Those latents, `[h, w, C]` as little-endian F16.
        public var latents: Data

        public init(parent: Int, level: Double, latents: Data) {
            self.parent = parent
            self.level = level
            self.latents = latents
        }
    }

    public init(recipe: Recipe, start: Start? = nil) {
        self.recipe = recipe
        self.start = start
    }
}

/// Body of the answer to `GET /inkling/v1/canvases/{id}/frames`: the timeline, oldest first.
public struct CanvasTimeline: Codable, Sendable, Equatable {
    public var frames: [Entry]

    public struct Entry: Codable, Sendable, Equatable {
        /// Counts the canvas's frames, from 1.
        public var number: Int
        public var revision: Int
        public var stage: CanvasStage.Name
        public var frame: FrameRecipe
        public var shownAt: Date

        public init(
            number: Int, revision: Int, stage: CanvasStage.Name, frame: FrameRecipe, shownAt: Date
        ) {
            self.number = number
            self.revision = revision
            self.stage = stage
            self.frame = frame
            self.shownAt = shownAt
        }
    }

    public init(frames: [Entry]) { self.frames = frames }
}

/// Body of `POST /inkling/v1/canvases/{id}/commit`.
public struct CanvasCommit: Codable, Sendable, Equatable {
    /// The frame to keep, as it is; `nil` for the settled picture of the newest text, which is waited for.
    public var frame: Int?
    /// The conversation that the picture goes to, instead of the canvas's own; without any, only the picture is kept.
    public var conversation: Conversation.ID?
    /// A message of an earlier picture, beside which the new one becomes a branch.
    public var edits: Message.ID?

    public init(
        frame: Int? = nil, conversation: Conversation.ID? = nil, edits: Message.ID? = nil
    ) {
        self.frame = frame
        self.conversation = conversation
        self.edits = edits
    }
}

/// Body of the answer to `POST /inkling/v1/canvases/{id}/commit`.
public struct CanvasCommitted: Codable, Sendable, Equatable {
    public var picture: Picture
    /// What was typed and the picture, as messages of the conversation, where there is one.
    public var messages: [Message]

    public init(picture: Picture, messages: [Message] = []) {
        self.picture = picture
        self.messages = messages
    }
}

/// Body of `POST /inkling/v1/prompts/enriched`, and of its answer: words for a picture.
public struct PromptText: Codable, Sendable, Equatable {
    public var text: String
    /// The chat model that is asked; `nil` means the default one.
    public var model: String?

    public init(text: String, model: String? = nil) {
        self.text = text
        self.model = model
    }
}
