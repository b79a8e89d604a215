import AssistantAPI
import FoundationEssentials

/// Puts a picture into the shapes that `POST /api/generate` has for them: lines that count the steps, then the file.
struct OllamaPictureWriter: EventWriter {
    var format: StreamFormat { .lines }

    private let frame: OllamaFrame
    private var steps = 0
    private var file: JSON?
    private var notices: [Notice] = []

    init(_ call: OllamaCall) { frame = OllamaFrame(model: call.model) }

    func commits(_ event: PictureEvent) -> Bool { event.commits }

    mutating func text(for event: PictureEvent) throws -> String {
        switch event {
        case .queued, .loading, .failed: return ""
        case .notice(let notice):
            notices.append(notice)
            return ""
        case .started(let started):
            steps = started.recipe.steps
            return ""
        case .progress(let progress):
            guard progress.stage == .denoise else { return "" }
            steps = progress.total
            return step(progress.done)
        case .partial(let partial):
            // Clients that know of no pictures on their way take the last one, which is the finished one.
            return step(partial.step, [("image", .string(partial.data.base64EncodedString()))])
        case .picture(let finished):
            file = .string(finished.data.base64EncodedString())
            return ""
        case .completed(let completed):
            return frame.line(try end(completed), done: true)
        }
    }

    mutating func text(for failure: Failure, _ error: any Error) throws -> String {
        OllamaFrame.line(failure)
    }

    mutating func end() -> String { "" }

    /// The picture as one object, for clients that don't stream.
    ///
    /// - Throws: what the stream throws; a `Failure` for a picture that was cut off.
    mutating func whole(_ events: AsyncThrowingStream<PictureEvent, any Error>) async throws -> JSON {
        for try await event in events {
            if case .completed(let completed) = event { return frame.object(try end(completed), done: true) }
            _ = try text(for: event)
        }
        throw CancellationError()
    }

    private func step(_ done: Int, _ extras: [(String, JSON)] = []) -> String {
        frame.line([("response", ""), ("completed", JSON(done)), ("total", JSON(steps))] + extras)
    }

    private func end(_ completed: PictureEvent.Completed) throws -> [(String, JSON)] {
        try ImageGenerationWriter.check(completed)
        guard let file else { throw CancellationError() }
        return [("response", ""), ("done_reason", "stop"), ("image", file)]
            + frame.times(loading: completed.timings.loading) + AnswerFrame.extras(notices)
    }
}
