public import FoundationEssentials

/// An event of one of the daemon's own streams.
///
/// On the wire it is a server-sent event whose `event:` is the case's name and whose `data:` is the value as JSON.
public protocol WireEvent: Sendable {
    /// The value of `event:`.
    var name: String { get }
    /// Whether the stream ends with it; `completed` and `failed` are the last ones of work that ends.
    var isLast: Bool { get }

    /// The value of `data:`.
    func data() throws -> Data
    /// Reads an event back; `nil` for a name that this version does not know, which a client skips.
    init?(name: String, data: Data) throws
}

extension WireEvent {
    public var isLast: Bool { ["completed", "failed"].contains(name) }
}
