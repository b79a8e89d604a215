import Hummingbird

/// What a handler knows of its request beside the request.
struct ServerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Tells when the client leaves; `nil` only outside of a real connection.
    let connection: Connection?

    init(source: Source) {
        coreContext = .init(source: source)
        connection = Connection.current
    }

    /// Who asks, for taking turns: requests of one process stand in one line.
    var client: String { connection?.client ?? "" }

    /// The percent-decoded part of the path that the route calls `name`.
    func pathParameter(_ name: String) throws(Failure) -> String {
        guard let text = parameters.get(name).flatMap(Self.decode), !text.isEmpty else {
            throw .invalid("The path's part '\(name)' is not valid.", parameter: name)
        }
        return text
    }

    /// What stands in place of the route's `**`, decoded; a second slash in front makes it an absolute path.
    func remainingPath() throws(Failure) -> String {
        let joined = parameters[Parameters.recursiveCaptureKey].map(String.init) ?? ""
        guard let text = Self.decode(joined), !text.isEmpty else {
            throw .invalid("The model's name in the path is not valid.", parameter: "model")
        }
        return text
    }

    /// `nil` for an escape that is none, and for bytes that are no UTF-8.
    private static func decode(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
