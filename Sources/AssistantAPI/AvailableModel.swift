/// A model of the catalogue of known good ones, and whether it is one for this machine.
public struct AvailableModel: Codable, Sendable, Equatable {
    /// What a model is for.
    public enum Role: String, Codable, Sendable {
        case chat, picture
        /// Changes what a picture model paints.
        case lora
        /// Makes pictures of what a picture model computes, more quickly.
        case decoder
    }

    /// By which it is pulled, and known from then on.
    public var name: String
    /// Of the hub.
    public var model: String
    public var role: Role
    /// Of its files, about.
    public var bytes: Int
    /// That it needs while it works, about.
    public var memory: Int
    public var licence: String
    /// In a sentence.
    public var about: String
    /// Whether this machine's budget has room for it; `nil` in the catalogue itself.
    public var fits: Bool?
    /// Whether it is here; `nil` in the catalogue itself.
    public var isHere: Bool?

    public init(
        name: String, model: String, role: Role, bytes: Int, memory: Int, licence: String, about: String,
        fits: Bool? = nil, isHere: Bool? = nil
    ) {
        self.name = name
        self.model = model
        self.role = role
        self.bytes = bytes
        self.memory = memory
        self.licence = licence
        self.about = about
        self.fits = fits
        self.isHere = isHere
    }
}

/// The catalogue: body of the answer to `GET /inkling/v1/models/available`.
public struct AvailableModels: Codable, Sendable, Equatable {
    /// What models and caches may take in all, in bytes.
    public var budget: Int
    public var models: [AvailableModel]

    public init(budget: Int, models: [AvailableModel]) {
        self.budget = budget
        self.models = models
    }
}
