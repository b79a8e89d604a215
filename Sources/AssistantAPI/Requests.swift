/// Body of `POST /inkling/v1/conversations`.
public struct ConversationDraft: Codable, Sendable, Equatable {
    public var title: String?
    public var model: String?
    public var system: String?
    /// Keeps the conversation in memory only.
    public var isPrivate: Bool?

    public init(
        title: String? = nil, model: String? = nil, system: String? = nil, isPrivate: Bool? = nil
    ) {
        self.title = title
        self.model = model
        self.system = system
        self.isPrivate = isPrivate
    }
}

/// Body of `PATCH /inkling/v1/conversations/{id}`: the fields that are there are changed.
public struct ConversationChange: Codable, Sendable, Equatable {
    public var title: String?
    public var model: String?
    public var system: String?
    /// Shows the branch that ends at (or goes through) this message.
    public var head: Message.ID?

    public init(
        title: String? = nil, model: String? = nil, system: String? = nil, head: Message.ID? = nil
    ) {
        self.title = title
        self.model = model
        self.system = system
        self.head = head
    }
}

/// Body of `POST /inkling/v1/conversations/{id}/messages`.
///
/// - `content` alone continues the shown branch.
/// - `content` with `edits` puts a new user message beside the one named, as a new branch.
/// - `regenerates` alone answers the parent of that assistant message (or that user message) once more.
public struct MessageDraft: Codable, Sendable, Equatable {
    public var content: String?
    public var edits: Message.ID?
    public var regenerates: Message.ID?
    public var model: String?
    public var settings: GenerationSettings?
    /// Whether the model may answer with a picture; `nil` means the configuration's.
    public var pictures: Bool?
    /// How long the model stays in memory afterwards; `nil` means the configuration's.
    public var keepAlive: KeepAlive?

    public init(
        content: String? = nil, edits: Message.ID? = nil, regenerates: Message.ID? = nil,
        model: String? = nil, settings: GenerationSettings? = nil, pictures: Bool? = nil,
        keepAlive: KeepAlive? = nil
    ) {
        self.content = content
        self.edits = edits
        self.regenerates = regenerates
        self.model = model
        self.settings = settings
        self.pictures = pictures
        self.keepAlive = keepAlive
    }
}

/// Body of the answer to `GET /inkling/v1/conversations`, newest first.
public struct ConversationList: Codable, Sendable, Equatable {
    public var conversations: [Conversation]
    /// Pass it as `?before=` to get the next page; `nil` on the last one.
    public var next: String?

    public init(conversations: [Conversation], next: String? = nil) {
        self.conversations = conversations
        self.next = next
    }
}

/// Body of the answer to `GET /inkling/v1/search?q=`.
public struct SearchResults: Codable, Sendable, Equatable {
    public var matches: [SearchMatch]

    public init(matches: [SearchMatch]) { self.matches = matches }
}

/// Body of `PUT /inkling/v1/conversations/{id}/draft` and, where there is no conversation yet, of `PUT
/// /inkling/v1/draft`: what is being typed, so that it can be evaluated ahead.
public struct TypedDraft: Codable, Sendable, Equatable {
    public var text: String
    /// The model that the message will go to, where it is not the conversation's.
    public var model: String?
    /// The instructions of a conversation that is not there yet.
    public var system: String?
    /// Whether the model may answer with a picture; `nil` means the configuration's.
    public var pictures: Bool?

    public init(text: String, model: String? = nil, system: String? = nil, pictures: Bool? = nil) {
        self.text = text
        self.model = model
        self.system = system
        self.pictures = pictures
    }
}
