import AssistantAPI
import FoundationEssentials
import ImageCodecs
import Synchronization

// Frames that were shown, as files and as pictures to keep.

extension LiveCanvas {
    /// The file of a frame; one that is no longer kept is rendered again.
    ///
    /// - Throws: `notFound`, and what a render throws.
    func file(of number: Int) async throws -> (format: PictureFormat, data: Data) {
        if let file = state.withLock({ $0.frames.file(number) }) { return (file.format, file.data) }
        let bitmap = try await render(try entry(number).frame).bitmap
        return (.png, Data(try PNG.encode(bitmap)))
    }

    /// A frame as it is, or the settled picture of the newest text (`nil`), with its recipe.
    ///
    /// - Throws: `notFound`, `invalidRequest` where there is no text; what a render throws.
    func picture(of number: Int?) async throws -> (bitmap: Bitmap, recipe: Recipe) {
        if let number {
            let entry = try entry(number)
            if let file = state.withLock({ $0.frames.file(number) }), file.isExact {
                return (try Bitmap(decoding: Array(file.data)), entry.frame.kept)
            }
            return (try await render(entry.frame).bitmap, entry.frame.kept)
        }
        let (text, settings, file) = state.withLock { state in
            (
                state.machine.prompt.text, state.settings,
                state.frames.settledFile(of: state.machine.signature)
            )
        }
        guard !text.allSatisfy(\.isWhitespace) else {
            throw AssistantError(.invalidRequest, "There is no text to paint.", parameter: "text")
        }
        if let file, let entry = state.withLock({ $0.frames.entry(file.number) }) {
            return (try Bitmap(decoding: Array(file.data)), entry.frame.recipe)
        }
        // A render of its own, which nothing that is typed meanwhile stops.
        let finished = try await render(settings.request(text: text))
        return (finished.bitmap, finished.frame.recipe)
    }

    private func entry(_ number: Int) throws -> CanvasTimeline.Entry {
        guard let entry = state.withLock({ $0.frames.entry(number) }) else {
            throw AssistantError(.notFound, "There is no frame \(number).", parameter: "frame")
        }
        return entry
    }

    private func render(_ frame: FrameRecipe) async throws -> FinishedFrame {
        let recipe = frame.recipe
        var request = PictureRequest(prompt: recipe.prompt)
        (request.model, request.negativePrompt) = (recipe.model, recipe.negativePrompt)
        (request.width, request.height, request.steps) = (recipe.width, recipe.height, recipe.steps)
        (request.seed, request.scheduler) = (recipe.seed, recipe.scheduler)
        (request.guidanceScale, request.decoder) = (recipe.guidanceScale, recipe.decoder)
        if let hash = recipe.initImage {
            guard let picture = state.withLock({ $0.startPictures.file(hash) }) else {
                throw AssistantError(
                    .notFound, "The picture that this frame started from is no longer kept.",
                    parameter: "frame")
            }
            (request.initImage, request.strength) = (picture, recipe.strength)
        }
        return try await render(request, start: frame.start)
    }

    private func render(
        _ request: PictureRequest, start: FrameRecipe.Start? = nil
    ) async throws -> FinishedFrame {
        let work = try engine.start(
            .init(picture: request, rank: .refinement, lane: id + "-kept", start: start))
        return try await withTaskCancellationHandler {
            for try await event in work.events {
                if case .finished(let finished) = event { return finished }
            }
            throw AssistantError(.cancelled, "The picture was stopped.")
        } onCancel: {
            work.cancel()
        }
    }
}

extension FrameRecipe {
    /// What a kept picture says of how it was made; of a warm start the level, and the hash of the latents.
    var kept: Recipe {
        var kept = recipe
        if let start { (kept.strength, kept.initImage) = (start.level, start.hash) }
        return kept
    }
}
