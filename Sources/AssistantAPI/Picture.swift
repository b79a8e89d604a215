public import FoundationEssentials

/// A finished picture as the history keeps it: `GET /inkling/v1/pictures/{id}` gives its file again.
public struct Picture: Codable, Sendable, Equatable {
    public typealias ID = String

    public var id: ID
    public var format: PictureFormat
    /// In pixels.
    public var width: Int
    /// In pixels.
    public var height: Int
    /// Size of the file.
    public var bytes: Int
    /// SHA-256 of the file, in hexadecimal.
    public var sha256: String
    public var recipe: Recipe
    public var createdAt: Date
    /// It was never written down and is gone a few minutes after it was made.
    public var isPrivate: Bool?

    public init(
        id: ID, format: PictureFormat, width: Int, height: Int, bytes: Int, sha256: String, recipe: Recipe,
        createdAt: Date, isPrivate: Bool? = nil
    ) {
        self.id = id
        self.format = format
        self.width = width
        self.height = height
        self.bytes = bytes
        self.sha256 = sha256
        self.recipe = recipe
        self.createdAt = createdAt
        self.isPrivate = isPrivate
    }
}

/// Body of the answer to `GET /inkling/v1/pictures`, newest first.
public struct PictureList: Codable, Sendable, Equatable {
    public var pictures: [Picture]
    /// Pass it as `?before=` to get the next page; `nil` on the last one.
    public var next: String?

    public init(pictures: [Picture], next: String? = nil) {
        self.pictures = pictures
        self.next = next
    }
}
