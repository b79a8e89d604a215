public import AssistantAPI
public import FoundationEssentials

extension DaemonClient {
    /// Has pictures painted and hands on the events, the last of which is `completed` or `failed`.
    ///
    /// Cancelling the task closes the connection, which stops the work.
    ///
    /// - Throws: `ClientError.connectionLost` when the stream ends without one of those.
    public func paint(
        _ request: PictureRequest, _ receive: @escaping @Sendable (PictureEvent) async throws -> Void
    ) async throws {
        let body = try Wire.encoder().encode(request)
        try await stream(
            .init("POST", Self.root + "/pictures", body: body), eventLimit: Self.pictureEventLimit
        ) { try await receive($1) }
    }
}

extension DaemonClient {
    /// Pictures of the history, the newest first.
    public func pictures(before: String? = nil, limit: Int) async throws -> PictureList {
        let page = before.map { "&before=" + Self.encode($0) } ?? ""
        return try await get(Self.root + "/pictures?limit=\(limit)" + page)
    }

    /// What is kept of a picture beside its file.
    public func picture(_ id: Picture.ID) async throws -> Picture {
        try await get(Self.root + "/pictures/" + Self.encode(id) + "?recipe=true")
    }

    /// A picture's file.
    public func pictureFile(_ id: Picture.ID) async throws -> Data {
        try await transport.send(.init("GET", Self.root + "/pictures/" + Self.encode(id)))
    }

    /// Erases a picture for good.
    public func deletePicture(_ id: Picture.ID) async throws {
        _ = try await transport.send(.init("DELETE", Self.root + "/pictures/" + Self.encode(id)))
    }

    /// The picture that a person means: a whole id, the beginning of just one, or `last`.
    ///
    /// - Throws: `ClientError.failed` when none or several begin so.
    public func findPicture(_ name: String) async throws -> Picture {
        if name == "last" {
            guard let newest = try await pictures(limit: 1).pictures.first else {
                throw ClientError.failed("there is no picture yet")
            }
            return newest
        }
        guard !name.isEmpty else { return try await complete(name) }
        do {
            return try await picture(name)
        } catch ClientError.refused(404, _, _) {
            return try await complete(name)
        }
    }

    private func complete(_ name: String) async throws -> Picture {
        var found: [Picture] = []
        var page: String?
        repeat {
            let list = try await pictures(before: page, limit: 200)
            found += list.pictures.filter { !name.isEmpty && $0.id.hasPrefix(name) }
            page = list.next
        } while page != nil && found.count < 2
        let shown = TextSanitizer.line(name)
        switch found.count {
        case 1: return found[0]
        case 0: throw ClientError.failed("there is no picture \"\(shown)\"; inkling pictures list shows them")
        default:
            throw ClientError.failed(
                "several pictures begin with \"\(shown)\", \(TextSanitizer.line(found[0].id)) and "
                    + "\(TextSanitizer.line(found[1].id)) among them; give more of the id")
        }
    }
}
