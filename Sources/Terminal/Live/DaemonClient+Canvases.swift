import AssistantAPI
import FoundationEssentials

extension DaemonClient {
    /// A client of the same daemon whose requests may take that long.
    func patient(_ patience: Duration) -> DaemonClient {
        DaemonClient(socket: transport.socket, patience: patience)
    }

    func openCanvas(_ draft: CanvasDraft) async throws -> Canvas {
        try await call("POST", Self.root + "/canvases", draft)
    }

    /// Gives a canvas its newest text; answered at once, whatever the engine does.
    func type(_ prompt: Canvas.Prompt, on id: Canvas.ID) async throws {
        let body = try Wire.encoder().encode(prompt)
        _ = try await transport.send(.init("PUT", canvas(id) + "/prompt", body: body))
    }

    func change(_ change: CanvasSettings, of id: Canvas.ID) async throws -> Canvas {
        try await call("PATCH", canvas(id), change)
    }

    /// Keeps a picture; without a frame's number, the settled one of the newest text, which is waited for.
    func commit(_ commit: CanvasCommit, on id: Canvas.ID) async throws -> CanvasCommitted {
        try await call("POST", canvas(id) + "/commit", commit)
    }

    /// The canvas's frames so far, the oldest first.
    func timeline(of id: Canvas.ID) async throws -> CanvasTimeline {
        try decode(await transport.send(.init("GET", canvas(id) + "/frames")))
    }

    /// A frame's file; painted again, exactly, where it is no longer kept.
    func frame(_ number: Int, of id: Canvas.ID) async throws -> Data {
        try await transport.send(.init("GET", canvas(id) + "/frames/\(number)"))
    }

    /// Asks the chat model for more words to a short prompt.
    func enrich(_ prompt: PromptText) async throws -> PromptText {
        try await patient(.seconds(120)).call("POST", Self.root + "/prompts/enriched", prompt)
    }

    func closeCanvas(_ id: Canvas.ID) async throws {
        _ = try await transport.send(.init("DELETE", canvas(id)))
    }

    /// Hands on what happens on a canvas, behind the event `last`, with each event's id.
    ///
    /// - Throws: `ClientError.connectionLost` when the stream ends before `closed`.
    func canvasEvents(
        of id: Canvas.ID, after last: String?,
        _ receive: @escaping @Sendable (_ id: String?, CanvasEvent) async -> Void
    ) async throws {
        try await stream(
            .init("GET", canvas(id) + "/events", lastEventID: last), eventLimit: Self.pictureEventLimit,
            receive)
    }

    /// Tells what is being typed, so that it is evaluated ahead; answered at once.
    ///
    /// Without a conversation it is the first message of one that is not there yet.
    func type(_ draft: TypedDraft, in conversation: Conversation.ID?) async throws {
        let body = try Wire.encoder().encode(draft)
        let target = conversation.map(path) ?? Self.root
        _ = try await transport.send(.init("PUT", target + "/draft", body: body))
    }

    private func canvas(_ id: Canvas.ID) -> String { Self.root + "/canvases/" + Self.encode(id) }
}
