import AssistantAPI
import History

/// One response on its way: the model answers, and what it called for is painted.
///
/// The model is not asked again behind a picture. Nothing is painted for an answer that was cut off, since its last call
/// may be half of one.
struct ResponseMaking: Sendable {
    typealias Continuation = AsyncThrowingStream<ResponseEvent, any Error>.Continuation

    let request: ResponseRequest
    let client: String
    let core: CompletionCore
    let pictures: PictureService
    let events: Continuation

    /// A call that asks for a picture.
    private struct Call {
        let place: Int
        let picture: Picture.ID
        var arguments = ""
    }

    func run() async throws {
        let (calls, finish) = try await answer()
        guard let picture = request.picture, finish == .stop else { return }
        for call in calls { try await paint(call, picture) }
    }

    /// - Returns: The calls that ask for pictures, and why the answer ended.
    private func answer() async throws -> (calls: [Call], finish: FinishReason) {
        var calls: [Call] = []
        var finish: FinishReason?
        let running = try core.start(request.completion, lane: client, owner: nil)
        for try await event in running.events {
            switch event {
            case .token(let piece) where request.picture != nil:
                for call in piece.calls ?? [] { take(call, &calls) }
            case .completed(let summary): finish = summary.finish
            default: break
            }
            events.yield(.completion(event))
        }
        // A consumer that left ends the stream early.
        try Task.checkCancellation()
        guard let finish else { throw AssistantError(.internalError, "The answer ended without a reason.") }
        return (calls, finish)
    }

    private func take(_ piece: ToolCallPiece, _ calls: inout [Call]) {
        if piece.name == ImagineTool.name {
            let call = Call(place: piece.index, picture: HistoryStore.makeID())
            calls.append(call)
            events.yield(.pictureCalled(call: call.place, id: call.picture))
        }
        guard let last = calls.indices.last, calls[last].place == piece.index else { return }
        calls[last].arguments += piece.arguments
    }

    private func paint(_ call: Call, _ picture: PictureRequest) async throws {
        var picture = picture
        picture.prompt = ImagineTool.prompt(of: call.arguments, in: request.completion)
        let painting = pictures.make(picture, client: client, partialSize: .full, firstID: call.picture)
        for try await event in painting { events.yield(.picture(call: call.place, event)) }
        try Task.checkCancellation()
    }
}
