import AssistantAPI
import Terminal

/// A way from keystrokes to pictures.
protocol Pipeline: Sendable {
    /// A key was pressed and the line reads so; returns at once.
    func type(_ text: String, revision: Int) async
    /// Waits until the picture of the final text is there as it was asked for.
    func finish() async throws -> Outcome
}

/// What is painted in every pipeline: the same settled picture on the same engine.
struct Wanted: Sendable {
    var model: String?
    var size: Int?
    var steps: Int?
    var decoder: String?

    var request: PictureRequest {
        var request = PictureRequest(prompt: "")
        (request.model, request.width, request.height) = (model, size, size)
        (request.steps, request.decoder, request.seed) = (steps, decoder, 0)
        (request.isPrivate, request.format, request.quality) = (true, .webp, 80)
        return request
    }

    var settings: CanvasSettings {
        var settings = CanvasSettings()
        (settings.model, settings.width, settings.height) = (model, size, size)
        (settings.steps, settings.decoder, settings.seed) = (steps, decoder, 0)
        return settings
    }
}

/// Plays traces into one pipeline after the other.
struct Player: Sendable {
    let client: DaemonClient
    let wanted: Wanted

    enum Kind: String, CaseIterable, Sendable {
        /// Inkling's canvas.
        case live
        /// Renders every input event, one after the other, as real-time modes without debounce or cancelling do.
        case naive
        /// Renders when nothing was typed for 300 ms, and lets what was begun end.
        case debounce
    }

    func play(_ trace: TypingTrace, into kind: Kind) async throws -> Outcome {
        let pipeline: any Pipeline =
            switch kind {
            case .live: try await CanvasPipeline(client, wanted)
            case .naive: RequestPipeline(client, wanted, quiet: nil)
            case .debounce: RequestPipeline(client, wanted, quiet: .milliseconds(300))
            }
        let start = ContinuousClock.now
        for (index, key) in trace.keystrokes.enumerated() {
            try await Task.sleep(until: start + key.time)
            await pipeline.type(key.text, revision: index + 1)
        }
        return try await pipeline.finish()
    }
}
