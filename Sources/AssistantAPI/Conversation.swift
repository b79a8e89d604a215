public import FoundationEssentials

/// One conversation: a tree of messages of which one branch is shown.
public struct Conversation: Codable, Sendable, Equatable, Identifiable {
    /// Opaque, unique and URL-safe; sorts by creation.
    public var id: String
    public var title: String
    /// The model that answers here, by name or absolute path; `nil` means the default one.
    public var model: String?
    /// The system prompt; `nil` means the chat format's own default.
    public var system: String?
    public var createdAt: Date
    public var updatedAt: Date
    /// The last message of the branch that is shown; `nil` while the conversation is empty.
    public var head: Message.ID?
    public var messageCount: Int
    /// Set while a deleted conversation can still be brought back: when it is erased for good.
    public var erasedAt: Date?
    /// A private conversation lives in memory only and is gone when the daemon ends.
    public var isPrivate: Bool

    public init(
        id: String, title: String = "", model: String? = nil, system: String? = nil, createdAt: Date,
        updatedAt: Date, head: Message.ID? = nil, messageCount: Int = 0, erasedAt: Date? = nil,
        isPrivate: Bool = false
    ) {
        self.id = id
        self.title = title
        self.model = model
        self.system = system
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.head = head
        self.messageCount = messageCount
        self.erasedAt = erasedAt
        self.isPrivate = isPrivate
    }
}

/// Who said a message.
public enum Role: String, Codable, Sendable {
    case system, user, assistant
}

/// Why an answer ended.
public enum FinishReason: String, Codable, Sendable {
    /// The model ended its turn, or a stop string was met.
    case stop
    /// The token limit or the end of the context was reached.
    case length
    /// The client left or asked to stop; what was said until then is kept.
    case cancelled
    /// An error ended the answer; `Message.error` says which.
    case failed
    /// The daemon ended in the middle of the answer; found at the next start.
    case interrupted
}

/// One message of a conversation, and its place in the tree.
public struct Message: Codable, Sendable, Equatable, Identifiable {
    public var id: String
    public var conversation: Conversation.ID
    /// The message that this one answers or follows; `nil` for the first of a branch.
    public var parent: Message.ID?
    public var role: Role
    public var content: String
    public var createdAt: Date
    /// `nil` for user messages, and for an answer that is still being written.
    public var finish: FinishReason?
    public var error: String?
    public var model: String?
    public var usage: Usage?
    /// The picture that this message shows, where it shows one.
    public var picture: Picture.ID?
    /// How many messages share this one's parent and role, itself included: more than 1 marks a branching.
    public var siblingCount: Int
    /// This message's place among its siblings, by age, from 0.
    public var siblingIndex: Int

    public init(
        id: String, conversation: Conversation.ID, parent: Message.ID? = nil, role: Role, content: String,
        createdAt: Date, finish: FinishReason? = nil, error: String? = nil, model: String? = nil,
        usage: Usage? = nil, picture: Picture.ID? = nil, siblingCount: Int = 1, siblingIndex: Int = 0
    ) {
        self.id = id
        self.conversation = conversation
        self.parent = parent
        self.role = role
        self.content = content
        self.createdAt = createdAt
        self.finish = finish
        self.error = error
        self.model = model
        self.usage = usage
        self.picture = picture
        self.siblingCount = siblingCount
        self.siblingIndex = siblingIndex
    }
}

/// A conversation with the messages of its shown branch, oldest first.
public struct Transcript: Codable, Sendable, Equatable {
    public var conversation: Conversation
    public var messages: [Message]

    public init(conversation: Conversation, messages: [Message]) {
        self.conversation = conversation
        self.messages = messages
    }
}

/// One place where a search found its words.
public struct SearchMatch: Codable, Sendable, Equatable {
    public var conversation: Conversation
    /// `nil` when the title matched.
    public var message: Message.ID?
    /// The text around the match; the matched words are between U+2068 and U+2069 (first strong isolate, pop).
    public var snippet: String

    public init(conversation: Conversation, message: Message.ID?, snippet: String) {
        self.conversation = conversation
        self.message = message
        self.snippet = snippet
    }
}
