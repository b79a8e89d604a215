import AssistantAPI
import Synchronization

// From the loaded and measured model to the stages; the caller holds the canvas's lock.

extension LiveCanvas {
    /// Loads the model, and measures it where that was not done before; then the stages are known.
    func prepare(_ state: inout State) {
        guard !state.isClosed else { return }
        let facts = state.facts
        let settled = CanvasStage(
            name: .settled, width: facts.width, height: facts.height, steps: state.settings.steps ?? 1,
            decoder: state.settings.decoder ?? facts.decoders[0], expected: 0)
        let stage = CanvasLadder.probe(
            settled: settled, factor: facts.factor, hasTinyDecoder: facts.decoders.contains("tiny"))
        let probe = FrameEngine.Request.Probe(stage: stage, isKnown: measures.hasTimes(of: facts.model))
        state.retry.begins()
        state.lastProbe += 1
        let number = state.lastProbe
        do throws(AssistantError) {
            let work = try engine.start(
                .init(
                    picture: state.settings.request(text: ""), startPicture: state.startPictures.current,
                    rank: .draft, lane: id, isLast: false, probe: probe))
            state.probe = (number, work)
            Task { await self.measure(with: work, number: number, model: facts.model) }
        } catch {
            state.retry.failed(at: clock.now())
            fail(error, revision: state.machine.prompt.revision)
        }
    }

    /// When a model that could not be made ready is tried again, for the text that waits for it.
    func retryDeadline(_ state: State) -> Duration? {
        state.machine.isEmpty ? nil : state.retry.deadline
    }

    private func measure(with work: FrameEngine.Running, number: Int, model: String) async {
        var outline: PictureOutline?
        var failure: AssistantError?
        do {
            for try await event in work.events {
                switch event {
                case .loading(let fraction): feed.send(.loading(.init(fraction: fraction)))
                case .notice(let notice): feed.send(.notice(notice))
                case .reading(let reading): measures.setReading(reading, of: model)
                case .started(let started): outline = started
                case .step: break
                case .finished(let finished): learn(finished)
                }
            }
        } catch {
            failure = AssistantError.wrapping(error)
        }
        state.withLock { state in
            guard !state.isClosed, state.probe?.number == number else { return }
            state.probe = nil
            guard failure == nil, let outline else {
                state.retry.failed(at: clock.now())
                if let failure { fail(failure, revision: state.machine.prompt.revision) }
                act(&state)
                return
            }
            state.retry.forget()
            state.outline = outline
            reread(&state)
            updateLadder(&state)
            act(&state)
        }
    }

    func learn(_ finished: FinishedFrame) {
        measures.add(
            finished.sample, of: finished.frame.recipe.model, isGuided: finished.outline.guidanceScale > 1)
    }

    /// The newest text as the loaded model reads it.
    private func reread(_ state: inout State) {
        let text = state.machine.prompt.text
        state.machine.reread(
            signature: measures.signature(of: text, for: state.facts.model),
            isEmpty: text.allSatisfy(\.isWhitespace))
    }

    /// Derives the stages from what was measured, and tells when they have changed.
    func updateLadder(_ state: inout State) {
        guard let outline = state.outline else { return }
        let facts = state.facts
        let settled = CanvasStage(
            name: .settled, width: facts.width, height: facts.height, steps: outline.steps,
            decoder: state.settings.decoder ?? facts.decoders[0], expected: 0)
        let stages = CanvasLadder(
            settled: settled, factor: facts.factor, hasTinyDecoder: facts.decoders.contains("tiny"),
            beginsAsOneStep: outline.beginsAsOneStep, budget: state.settings.budget ?? budget,
            times: measures.times(of: facts.model, isGuided: outline.guidanceScale > 1)
        ).stages
        guard stages != state.stages else { return }
        let isNews =
            stages.count != state.stages.count || !zip(stages, state.stages).allSatisfy { $0.isSame(as: $1) }
        state.stages = stages
        state.machine.setCosts(stages.map { .milliseconds(Int64($0.expected)) })
        if isNews { feed.send(.canvas(record(state))) }
    }
}
