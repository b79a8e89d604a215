import AssistantAPI
import FoundationEssentials
import ImageCodecs
import Synchronization

// What the state machine says is done here; the caller holds the canvas's lock.

extension LiveCanvas {
    /// Does what is to be done now, and sets the alarm for what is to be done later.
    func act(_ state: inout State) {
        guard !state.isClosed else { return }
        // One instant for both, or what becomes due in between would be missed.
        var now = clock.now()
        while let action = state.machine.action(at: now) {
            switch action {
            case .render(let run): render(run, &state)
            case .stop: state.running?.work.cancel()
            case .settle(let revision, let isEmpty):
                // A frame of an older text is none of this one.
                let shown = state.shown?.signature == state.machine.signature ? state.shown?.number : nil
                feed.send(.settled(.init(revision: revision, frame: isEmpty ? 0 : shown ?? 0)))
                updateLadder(&state)
            }
            now = clock.now()
        }
        setAlarm(&state, after: now)
    }

    /// One task sleeps at a time: an alarm that is too early is set again when it rings.
    private func setAlarm(_ state: inout State, after now: Duration) {
        let deadlines = [state.machine.deadline(after: now), retryDeadline(state)]
        guard let deadline = deadlines.compactMap(\.self).min() else { return }
        if let alarm = state.alarm, alarm.deadline <= deadline { return }
        state.alarm?.task.cancel()
        let task = Task { [weak self, clock] in
            try? await clock.sleep(deadline)
            guard !Task.isCancelled, let self else { return }
            self.state.withLock { state in
                state.alarm = nil
                if let due = self.retryDeadline(state), due <= self.clock.now() { self.prepare(&state) }
                self.act(&state)
            }
        }
        state.alarm = (deadline, task)
    }

    // MARK: - Renders

    private func render(_ run: CanvasState.Run, _ state: inout State) {
        if let file = state.frames.settledFile(of: run.signature) { return recall(file, for: run, &state) }
        tally.count { $0.started += 1 }
        let stage = state.stages[run.stage]
        var request = FrameEngine.Request(
            picture: state.settings.request(text: run.text), startPicture: state.startPictures.current,
            rank: run.stage == 0 ? .draft : .refinement, lane: id, isLast: run.isLast)
        (request.picture.width, request.picture.height) = (stage.width, stage.height)
        (request.picture.steps, request.picture.decoder) = (stage.steps, stage.decoder)
        request.picture.textPadding = stage.textPadding
        let steps = state.stages.last?.steps ?? stage.steps
        if stage.name == .draft, state.startPictures.current == nil, WarmStart.pays(steps: steps) {
            request.warm = state.frames.warmStart(width: stage.width, height: stage.height)
        }
        do throws(AssistantError) {
            let work = try engine.start(request)
            state.running = (run.id, work)
            let model = state.facts.model
            Task { await self.follow(work, run: run, stage: stage, model: model) }
        } catch {
            tally.count { $0.failed += 1 }
            fail(error, revision: run.revision)
            state.machine.ended(run.id, .failed, at: clock.now())
        }
    }

    /// Shows the settled picture of a text that was typed before, for which nothing is rendered.
    private func recall(_ file: CanvasFrames.File, for run: CanvasState.Run, _ state: inout State) {
        let now = clock.now()
        if let entry = state.frames.entry(file.number) {
            let recipe = entry.frame.recipe
            tally.count { tally in
                tally.shown += 1
                tally.recalled += 1
                tally.stepsSaved += recipe.steps
                tally.keyToFrame.add((now - run.keyed).milliseconds)
            }
            let sinceKey = (now - run.keyed).milliseconds
            feed.send(
                .frame(
                    .init(
                        number: file.number, revision: run.revision, stage: .settled, step: 0,
                        steps: recipe.steps, isSettled: true, width: recipe.width, height: recipe.height,
                        format: file.format, data: file.data,
                        timings: FrameTimings(
                            sinceKey: sinceKey, waited: sinceKey, encode: 0, denoise: 0, decode: 0))))
        }
        state.shown = (file.number, run.signature)
        state.machine.recalled(run.id, at: now)
    }

    /// Waits for a render's end, and shows what comes of it.
    private func follow(
        _ work: FrameEngine.Running, run: CanvasState.Run, stage: CanvasStage, model: String
    ) async {
        var steps = 0
        var began: Duration?
        var finished: FinishedFrame?
        do {
            for try await event in work.events {
                switch event {
                case .loading(let fraction): feed.send(.loading(.init(fraction: fraction)))
                case .notice(let notice): feed.send(.notice(notice))
                case .reading(let reading):
                    measures.setReading(reading, of: model)
                    began = clock.now()
                case .started: break
                case .step(let done, let count):
                    steps += 1
                    tally.count { $0.steps += 1 }
                    feed.send(
                        .progress(
                            .init(revision: run.revision, stage: stage.name, step: done, steps: count)))
                case .finished(let frame): finished = frame
                }
            }
            if let finished {
                learn(finished)
                let waited = (began ?? clock.now()) - run.keyed
                try show(finished, run: run, stage: stage, waited: waited, steps: steps)
            } else {
                state.withLock { supersede(run, stage: stage, steps: steps, &$0) }
            }
        } catch {
            let failure = AssistantError.wrapping(error)
            state.withLock { state in
                guard let current = standing(run, state) else {
                    return supersede(run, stage: stage, steps: steps, &state)
                }
                tally.count { $0.failed += 1 }
                fail(failure, revision: current.revision)
                end(current, .failed, &state)
            }
        }
    }

    private func show(
        _ finished: FinishedFrame, run: CanvasState.Run, stage: CanvasStage, waited: Duration, steps: Int
    ) throws {
        let file = try encode(finished, isExact: stage.name == .settled)
        state.withLock { state in
            guard !state.isClosed else { return wake(&state) }
            // While the file was made, the settings may have changed, or the settled picture may have come.
            guard let current = standing(run, state) else {
                return supersede(run, stage: stage, steps: steps, &state)
            }
            publish(finished, file, of: current, as: stage.name, waited: waited, &state)
            end(current, .shown, &state)
        }
    }

    /// A render as it is now, if the canvas still wants what comes of it.
    private func standing(_ run: CanvasState.Run, _ state: State) -> CanvasState.Run? {
        guard let current = state.machine.run, current.id == run.id, current.signature == run.signature
        else { return nil }
        return current
    }

    /// Puts a frame into the timeline, and before the readers.
    func publish(
        _ finished: FinishedFrame, _ file: (format: PictureFormat, data: Data), of run: CanvasState.Run,
        as stage: CanvasStage.Name, waited: Duration = .zero, _ state: inout State
    ) {
        let isSettled = stage == .settled
        let number = state.frames.add(
            revision: run.revision, stage: stage, frame: finished.frame, signature: run.signature,
            format: file.format, data: file.data, isExact: isSettled || file.format == .png,
            latents: finished.latents, at: Date())
        state.shown = (number, run.signature)
        let sinceKey = (clock.now() - run.keyed).milliseconds
        tally.count { tally in
            tally.shown += 1
            tally.stepsSaved += finished.savedSteps
            if run.stage == 0 { tally.keyToFrame.add(sinceKey) }
            if isSettled {
                tally.settled += 1
                tally.keyToSettled.add(sinceKey)
            }
        }
        let (sample, outline) = (finished.sample, finished.outline)
        feed.send(
            .frame(
                .init(
                    number: number, revision: run.revision, stage: stage, step: outline.stepCount,
                    steps: outline.steps, isSettled: isSettled, width: finished.bitmap.width,
                    height: finished.bitmap.height, format: file.format, data: file.data,
                    timings: FrameTimings(
                        sinceKey: sinceKey, waited: waited.milliseconds, encode: sample.encode,
                        denoise: sample.steps.reduce(0, +), decode: sample.decode))))
    }

    /// A render that was stopped, or that nobody wants to see any more.
    private func supersede(
        _ run: CanvasState.Run, stage: CanvasStage, steps: Int, _ state: inout State
    ) {
        tally.count { ($0.superseded, $0.stepsWasted) = ($0.superseded + 1, $0.stepsWasted + steps) }
        feed.send(.superseded(.init(revision: run.revision, stage: stage.name, step: steps)))
        end(run, .stopped, &state)
    }

    private func end(_ run: CanvasState.Run, _ end: CanvasState.End, _ state: inout State) {
        state.machine.ended(run.id, end, at: clock.now())
        wake(&state)
        act(&state)
    }

    /// Tells those who waited for the end of a render.
    private func wake(_ state: inout State) {
        for continuation in state.waiting { continuation.resume() }
        state.waiting = []
    }

    func fail(_ error: AssistantError, revision: Int) {
        feed.send(.failed(.init(revision: revision, error: error)))
    }

    /// A frame's file; what is settled comes back to the last bit.
    func encode(
        _ finished: FinishedFrame, isExact: Bool
    ) throws -> (format: PictureFormat, data: Data) {
        let format = state.withLock { $0.settings.format } ?? .webp
        let metadata = PictureMetadata(software: "Inkling \(Inkling.version)", parameters: nil)
        switch format {
        case .png: return (format, Data(try PNG.encode(finished.bitmap, metadata: metadata)))
        case .webp:
            let quality = isExact ? WebP.Quality.lossless : .lossy(85)
            return (format, Data(try WebP.encode(finished.bitmap, quality: quality, metadata: metadata)))
        }
    }
}
