public import FoundationEssentials

/// A response of `POST /v1/responses` as the history keeps it, so that others can follow it.
///
/// Its items stay in the words of OpenAI's API, which alone reads them, but for pictures: those are named and kept as all
/// others are.
public struct StoredResponse: Sendable, Equatable {
    public typealias ID = String

    public var id: ID
    /// The response that this one follows.
    public var previous: ID?
    public var createdAt: Date
    /// The items that were new with the request: a JSON array.
    public var input: String
    /// The response itself: a JSON object.
    public var body: String

    public init(id: ID, previous: ID? = nil, createdAt: Date, input: String, body: String) {
        self.id = id
        self.previous = previous
        self.createdAt = createdAt
        self.input = input
        self.body = body
    }
}
