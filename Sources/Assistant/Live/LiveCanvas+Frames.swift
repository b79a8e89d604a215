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
        // The text as it stands now, whatever is typed until its picture is there.
        let (settings, start, run) = state.withLock {
            ($0.settings, $0.startPictures.current, $0.machine.settledRun(at: clock.now()))
        }
        guard !run.text.allSatisfy(\.isWhitespace) else {
            throw AssistantError(.invalidRequest, "There is no text to paint.", parameter: "text")
        }
        await settling()
        while true {
            if let settled = try settledPicture(of: run, settings) { return settled }
            let finished: FinishedFrame? =
                switch await turn(of: run, settings) {
                case .mine: try await keep(run, settings, start)
                case .over(let finished): finished
                }
            if let finished { return (finished.bitmap, finished.frame.recipe) }
        }
    }

    /// Waits for the settled picture of the newest text where it is being rendered; it may be stopped all the same.
    private func settling() async {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                guard state.machine.isSettling else { return continuation.resume() }
                state.waiting.append(continuation)
            }
        }
    }

    private func settledPicture(
        of run: CanvasState.Run, _ settings: CanvasSettings
    ) throws -> (bitmap: Bitmap, recipe: Recipe)? {
        guard let (data, recipe) = state.withLock({ settled(run, settings, $0) }) else { return nil }
        return (try Bitmap(decoding: Array(data)), recipe)
    }

    private func settled(
        _ run: CanvasState.Run, _ settings: CanvasSettings, _ state: State
    ) -> (file: Data, recipe: Recipe)? {
        guard state.settings == settings, let file = state.frames.settledFile(of: run.signature),
            let entry = state.frames.entry(file.number)
        else { return nil }
        return (file.data, entry.frame.recipe)
    }

    private enum KeepingTurn: Sendable {
        /// Nobody else paints this picture.
        case mine
        /// Somebody else did, or gave it up.
        case over(FinishedFrame?)
    }

    /// Waits while somebody else paints the same picture, so that it is not painted twice.
    private func turn(of run: CanvasState.Run, _ settings: CanvasSettings) async -> KeepingTurn {
        let isMine = state.withLock { state -> Bool in
            // It may have come just now.
            guard place(of: run, settings, state) == nil, settled(run, settings, state) == nil else {
                return false
            }
            state.keepings.append(Keeping(signature: run.signature, settings: settings))
            state.machine.keeps(run)
            act(&state)
            return true
        }
        if isMine { return .mine }
        let finished = await withCheckedContinuation {
            (continuation: CheckedContinuation<FinishedFrame?, Never>) in
            state.withLock { state in
                guard let other = place(of: run, settings, state) else {
                    return continuation.resume(returning: nil)
                }
                state.keepings[other].waiting.append(continuation)
            }
        }
        return .over(finished)
    }

    private func place(of run: CanvasState.Run, _ settings: CanvasSettings, _ state: State) -> Int? {
        state.keepings.firstIndex { $0.signature == run.signature && $0.settings == settings }
    }

    /// Renders a text's settled picture in a turn of its own, which nothing that is typed meanwhile stops; it is the canvas's
    /// settled picture too.
    private func keep(
        _ run: CanvasState.Run, _ settings: CanvasSettings, _ start: StartPicture?
    ) async throws -> FinishedFrame {
        do {
            let finished = try await render(settings.request(text: run.text), startPicture: start)
            let file = try encode(finished, isExact: true)
            state.withLock { state in
                // Of other settings it is another picture, and of another text none that is to be seen.
                let isShown = state.settings == settings && state.machine.signature == run.signature
                if isShown, !state.isClosed { publish(finished, file, of: run, as: .settled, &state) }
                endKeeping(run, settings, finished, isShown: isShown, &state)
            }
            return finished
        } catch {
            state.withLock { endKeeping(run, settings, nil, isShown: false, &$0) }
            throw error
        }
    }

    private func endKeeping(
        _ run: CanvasState.Run, _ settings: CanvasSettings, _ finished: FinishedFrame?, isShown: Bool,
        _ state: inout State
    ) {
        if let mine = place(of: run, settings, state) {
            for waiting in state.keepings.remove(at: mine).waiting { waiting.resume(returning: finished) }
        }
        state.machine.kept(run, isShown: isShown)
        act(&state)
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
        request.textPadding = recipe.textPadding
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
        _ request: PictureRequest, startPicture: StartPicture? = nil, start: FrameRecipe.Start? = nil
    ) async throws -> FinishedFrame {
        let work = try engine.start(
            .init(
                picture: request, startPicture: startPicture, rank: .refinement, lane: id + "-kept",
                start: start))
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
