import AssistantAPI

/// What became of a picture that an answer asked for.
struct PaintedAnswer {
    /// `nil` where it was stopped before.
    var picture: Picture.ID?
    var finish: FinishReason
    var timings: PictureTimings?
}

extension Answer {
    /// Paints what the model asked for, and tells how far it is.
    ///
    /// - Throws: what the picture engine does; nothing is kept then.
    func paint(_ prompt: String) async throws -> PaintedAnswer {
        var request = PictureRequest(prompt: prompt)
        if conversation.isPrivate { request.isPrivate = true }
        let (painting, events) = (engine.paint(request, conversation.id), events)
        let task = Task {
            // Stopped in the middle, the stream ends without a last event.
            var painted = PaintedAnswer(finish: .cancelled)
            for try await event in painting {
                if let event = event.chatEvent(prompt: prompt) { events.yield(event) }
                switch event {
                case .picture(let finished): painted.picture = finished.picture.id
                case .completed(let completed):
                    (painted.finish, painted.timings) = (completed.finish, completed.timings)
                default: break
                }
            }
            return painted
        }
        cancellation.onCancel { task.cancel() }
        return try await task.value
    }
}

extension PictureEvent {
    /// The same as an event of a conversation, where one exists.
    fileprivate func chatEvent(prompt: String) -> ChatEvent? {
        switch self {
        case .queued(let queued): .queued(queued)
        case .loading(let loading): .loading(loading)
        case .notice(let notice): .notice(notice)
        case .started(let started):
            .painting(.init(prompt: prompt, step: 0, steps: started.recipe.steps))
        case .progress(let progress) where progress.stage == .denoise:
            .painting(.init(prompt: prompt, step: progress.done, steps: progress.total))
        case .picture(let finished): .picture(finished)
        case .progress, .partial, .completed, .failed: nil
        }
    }
}
