/// Body of the answer to `POST /inkling/v1/page`: where the page is.
public struct PageLink: Codable, Sendable, Equatable {
    /// Lets one browser in, once, within a minute; the daemon listens there from now on.
    public var url: String

    public init(url: String) { self.url = url }
}
