import AssistantAPI
import Tensors

// Messages that are being typed: evaluated ahead, a piece at a time.

extension Engine {
    /// Evaluates a piece of what is being typed, while nothing else is to be done.
    func lookAhead() {
        guard active.isEmpty, held == nil, !isPainting, let draft = gate.waitingDrafts.first else { return }
        let isFirst = resident == nil && shelf.models.isEmpty
        let isThere = isInMemory(draft.model) || isFirst && hasRoomBesideModels(for: draft.model)
        // No other model leaves for it.
        guard isThere else { return gate.isDone(draft: draft) }
        lookAhead(draft) { self.gate.hasJobs }
    }

    /// The same within the work on a picture (`above`: of a canvas), by a model that is in memory: whoever types waits for the
    /// answer sooner than for that picture.
    func lookAheadWithin(above rank: FrameEngine.Request.Rank?, until isOver: () -> Bool) {
        let draft = gate.waitingDrafts.first { isInMemory($0.model) }
        guard active.isEmpty, held == nil, let draft else { return }
        operations.pool.pausing {
            lookAhead(draft) {
                let waiting = waiting(above: rank)
                return waiting.hasAnswers || waiting.hasFrames || isOver()
            }
        }
    }

    private func lookAhead(_ draft: EngineRequest, until isOver: () -> Bool) {
        guard (try? load(draft)) != nil, var model = resident else { return gate.isDone(draft: draft) }
        // The store's memory must have one owner while it is changed.
        resident = nil
        let outcome = withoutActuallyEscaping(isOver) { isOver in
            ahead.advance(draft, in: &model) { () throws(Interrupted) in
                if isOver() { throw Interrupted() }
            }
        }
        resident = model
        resident?.residence.use(at: memory.clock.now())
        cutBack()
        switch outcome {
        case .goesOn(let count): counters.change { $0.tokensAhead += count }
        case .isDone: gate.isDone(draft: draft)
        }
    }
}
