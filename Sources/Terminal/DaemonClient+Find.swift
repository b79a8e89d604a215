public import AssistantAPI

extension DaemonClient {
    /// The conversation that a person means: a whole id, the beginning of just one, or `last`.
    ///
    /// - Throws: `ClientError.failed` when none or several begin so.
    public func find(_ name: String) async throws -> Conversation.ID {
        if name == "last" {
            guard let newest = try await conversations(limit: 1).conversations.first else {
                throw ClientError.failed("there is no conversation yet")
            }
            return newest.id
        }
        do {
            return try await transcript(name).conversation.id
        } catch ClientError.refused(404, _, _) {
            return try await complete(name)
        }
    }

    /// What requests should ask for when a person means this model: the daemon's name for it, or an absolute path.
    ///
    /// - Throws: `ClientError` with the daemon's own sentence when there is no such model.
    public func model(_ name: String) async throws -> String {
        struct Body: Decodable { var id: String }
        if ModelText.isPath(name) {
            let path = try ModelText.absolute(name)
            let _: Body = try await get("/v1/models/" + Self.encode(path))
            return path
        }
        let body: Body = try await get("/v1/models/" + Self.encode(name))
        return body.id
    }

    private func complete(_ prefix: String) async throws -> Conversation.ID {
        var found: [Conversation.ID] = []
        var page: String?
        repeat {
            let list = try await conversations(before: page, limit: 200)
            found += list.conversations.map(\.id).filter { $0.hasPrefix(prefix) }
            page = list.next
        } while page != nil && found.count < 2
        switch found.count {
        case 1: return found[0]
        case 0:
            throw ClientError.failed(
                "there is no conversation \"\(TextSanitizer.line(prefix))\"; inkling history list shows them")
        default:
            throw ClientError.failed(
                "several conversations begin with \"\(TextSanitizer.line(prefix))\", \(found[0]) and \(found[1]) "
                    + "among them; give more of the id")
        }
    }
}
