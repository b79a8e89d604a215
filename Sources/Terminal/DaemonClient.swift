public import AssistantAPI
import FoundationEssentials

/// The daemon's native routes, typed.
public struct DaemonClient: Sendable {
    static let root = "/inkling/v1"

    public let transport: UnixSocketClient

    public init(socket: String, patience: Duration = .seconds(30)) {
        transport = UnixSocketClient(socket: socket, patience: patience)
    }

    public func health() async throws -> Health { try await get("/health") }

    public func models() async throws -> [ModelSummary] {
        struct Body: Decodable { var models: [ModelSummary] }
        let body: Body = try await get(Self.root + "/models")
        return body.models
    }

    /// A link to the page, which the daemon serves from now on.
    public func openPage() async throws -> PageLink {
        try decode(await transport.send(.init("POST", Self.root + "/page", body: Data("{}".utf8))))
    }

    /// Who holds how much memory, and which models are in it until when.
    public func memory() async throws -> MemoryReport { try await get(Self.root + "/models/loaded") }

    /// Lets a model go; returns its whole name.
    public func unload(model: String) async throws -> String {
        struct Body: Codable { var model: String }
        let body: Body = try await call("POST", Self.root + "/models/unload", Body(model: model))
        return body.model
    }

    /// Lets a model stay in memory, or no longer; returns its whole name.
    public func pin(model: String, _ isPinned: Bool) async throws -> String {
        struct Body: Codable { var model: String, pinned: Bool }
        let body: Body = try await call(
            "POST", Self.root + "/models/pin", Body(model: model, pinned: isPinned))
        return body.model
    }

    /// Asks the daemon to finish its work and end.
    public func shutDown() async throws {
        _ = try await transport.send(.init("POST", Self.root + "/shutdown", body: Data("{}".utf8)))
    }

    // MARK: - Conversations

    public func create(_ draft: ConversationDraft) async throws -> Conversation {
        try await call("POST", Self.root + "/conversations", draft)
    }

    public func conversations(before: String? = nil, limit: Int) async throws -> ConversationList {
        let page = before.map { "&before=" + Self.encode($0) } ?? ""
        return try await get(Self.root + "/conversations?limit=\(limit)" + page)
    }

    public func transcript(_ id: String) async throws -> Transcript { try await get(path(id)) }

    public func change(_ id: String, _ change: ConversationChange) async throws -> Conversation {
        try await call("PATCH", path(id), change)
    }

    /// Deletes a conversation; unless `now`, it can be restored until its `erasedAt`.
    public func delete(_ id: String, now: Bool = false) async throws -> Conversation? {
        let body = try await transport.send(.init("DELETE", path(id) + (now ? "?now=true" : "")))
        return body.isEmpty ? nil : try decode(body)
    }

    public func restore(_ id: String) async throws -> Conversation {
        try decode(await transport.send(.init("POST", path(id) + "/restore", body: Data("{}".utf8))))
    }

    public func search(_ query: String, limit: Int) async throws -> [SearchMatch] {
        let results: SearchResults = try await get(
            Self.root + "/search?limit=\(limit)&q=" + Self.encode(query))
        return results.matches
    }

    /// Sends a message and hands on the events of its answer, the last of which is `completed` or `failed`.
    ///
    /// - Throws: `ClientError.connectionLost` when the stream ends without one of those.
    public func send(
        _ draft: MessageDraft, to id: String, _ receive: @escaping @Sendable (ChatEvent) async throws -> Void
    ) async throws {
        let body = try Wire.encoder().encode(draft)
        try await stream(
            .init("POST", path(id) + "/messages", body: body), eventLimit: Self.pictureEventLimit
        ) { try await receive($1) }
    }

    // MARK: - Calls

    func path(_ id: String) -> String { Self.root + "/conversations/" + Self.encode(id) }

    func get<Answer: Decodable>(_ target: String) async throws -> Answer {
        try decode(await transport.send(.init("GET", target)))
    }

    func call<Answer: Decodable>(
        _ method: String, _ target: String, _ body: some Encodable
    ) async throws -> Answer {
        try decode(await transport.send(.init(method, target, body: try Wire.encoder().encode(body))))
    }

    func decode<Answer: Decodable>(_ body: Data) throws -> Answer {
        do {
            return try Wire.decoder().decode(Answer.self, from: body)
        } catch {
            throw ClientError.badAnswer("it is no \(Answer.self); is the daemon of another version?")
        }
    }

    /// Percent-encodes a value for a path segment or a query.
    static func encode(_ value: String) -> String {
        value.utf8.map { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                return String(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                return "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }.joined()
    }
}
