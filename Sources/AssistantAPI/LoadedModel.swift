public import FoundationEssentials

/// What memory is held for, in the order in which it goes when more is needed: what costs least to make again first.
public enum MemoryKind: String, Codable, Sendable, CaseIterable {
    /// What operators compute with, and keep for the next ones.
    case scratch
    /// What renders leave for the next ones.
    case renders
    /// Files of canvases' frames, and the latents that frames begin with.
    case frames
    /// Keys and values of earlier prompts.
    case prefixCaches = "prefix_caches"
    /// Keys and values of answers that are being made.
    case attentionCaches = "attention_caches"
    case weights
}

/// So many bytes of one kind.
public struct MemoryShare: Codable, Sendable, Equatable {
    public var kind: MemoryKind
    public var bytes: Int

    public init(kind: MemoryKind, bytes: Int) {
        self.kind = kind
        self.bytes = bytes
    }
}

/// A model in memory, or on its way there.
public struct LoadedModel: Codable, Sendable, Equatable {
    /// The name by which requests ask for it.
    public var id: String
    public var path: String
    public var kind: ModelSummary.Kind
    /// `loading` or `loaded`.
    public var state: ModelSummary.State
    /// All that is held for it.
    public var bytes: Int
    public var memory: [MemoryShare]
    public var isInUse: Bool
    /// Whether it stays, whoever needs memory.
    public var isPinned: Bool
    /// When it goes unless it is used before; `nil` while it is in use, and of one that stays.
    public var expiresAt: Date?
    /// Of a chat model that is loaded: the longest sequence that it takes here, in tokens.
    public var contextLength: Int?

    public init(
        id: String, path: String, kind: ModelSummary.Kind, state: ModelSummary.State, bytes: Int,
        memory: [MemoryShare], isInUse: Bool, isPinned: Bool = false, expiresAt: Date? = nil,
        contextLength: Int? = nil
    ) {
        self.id = id
        self.path = path
        self.kind = kind
        self.state = state
        self.bytes = bytes
        self.memory = memory
        self.isInUse = isInUse
        self.isPinned = isPinned
        self.expiresAt = expiresAt
        self.contextLength = contextLength
    }
}

/// Who holds how much memory: body of the answer to `GET /inkling/v1/models/loaded`.
public struct MemoryReport: Codable, Sendable, Equatable {
    /// What may be held in all, in bytes.
    public var budget: Int
    /// What is held.
    public var used: Int
    /// Every kind, also those of which there is nothing.
    public var memory: [MemoryShare]
    /// Those used last first.
    public var models: [LoadedModel]

    public init(budget: Int, used: Int, memory: [MemoryShare], models: [LoadedModel]) {
        self.budget = budget
        self.used = used
        self.memory = memory
        self.models = models
    }
}
