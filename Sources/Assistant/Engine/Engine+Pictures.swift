import AssistantAPI
import StableDiffusion
import Tensors

// Pictures of requests, part by part between the tokens of answers.

extension Engine {
    /// Begins the next pictures when none are being painted, and does a part of the work on them.
    func paint() {
        if painting == nil, let job = gate.nextPicture() { painting = makePainting(job) }
        guard let painting else { return }
        let pass = Pass(operations: operations.pictures, checkpoint: checkpoint(of: painting.job))
        do throws(AssistantError) {
            if try painting.next(pass) { return }
            endPainting(painting.job)
            let outcome = painting.outcome()
            counters.count(outcome, finished: painting.index)
            painting.job.finish(outcome)
        } catch {
            endPainting(painting.job)
            counters.count(painting.outcome(failed: true), finished: painting.index)
            painting.job.fail(error)
        }
    }

    private func endPainting(_ job: PictureJob) {
        painting = nil
        operations.pictures.releaseMemory(keeping: Self.keptBetweenPictures)
        workEnded(.pictures)
        gate.isDone(job)
    }

    private func makePainting(_ job: PictureJob) -> Painting? {
        do throws(AssistantError) {
            let begin = ContinuousClock.now
            let painter = try load(job)
            let loading = ContinuousClock.now - begin
            if job.plan.count == 0 {
                gate.isDone(job)
                job.finishWithoutPictures(.stop, loading: loading)
                return nil
            }
            return Painting(
                job, painter: painter.painter, room: room(for: .pictures, beside: painter), loading: loading)
        } catch {
            gate.isDone(job)
            if error.code == .cancelled { job.finishUntouched() } else { job.fail(error) }
            return nil
        }
    }
}
