import AssistantAPI
import StableDiffusion
import Tensors

// Frames of canvases: they go before other pictures, and drafts before better stages, also within a step.

extension Engine {
    /// Does a part of the work on the next frame; false when none is to be painted.
    func paintFrame() -> Bool {
        if frames.isEmpty {
            // While other pictures are being painted, their model stays.
            let job = gate.nextFrame(above: nil) { painting == nil || painter?.isModel(of: $0.plan) == true }
            if let job { begin(job) }
        }
        guard let frame = frames.last else { return false }
        _ = advance(frame)
        return true
    }

    /// Paints the frames that go before the work in progress, from within its checkpoint.
    func paintFrames(above rank: FrameEngine.Request.Rank?) {
        operations.pool.pausing {
            while let job = gate.nextFrame(above: rank, where: { painter?.isModel(of: $0.plan) == true }) {
                guard begin(job), let frame = frames.last else { continue }
                while advance(frame) {}
            }
        }
    }

    @discardableResult
    private func begin(_ job: FrameJob) -> Bool {
        do throws(AssistantError) {
            let painter = try load(job)
            frames.append(
                FramePainting(job, painter: painter.painter, room: room(for: job.rank.work, beside: painter)))
            return true
        } catch {
            gate.isDone(job)
            if error.code == .cancelled { job.finishUntouched() } else { job.fail(error) }
            return false
        }
    }

    /// Does a part of the work; false when the frame is at its end.
    private func advance(_ frame: FramePainting) -> Bool {
        let job = frame.job
        let pass = Pass(
            operations: operations.frames(job.rank),
            checkpoint: checkpoint(isOver: { job.isCancelled }, above: job.rank) { frame.rest += $0 })
        do throws(AssistantError) {
            if try frame.next(pass) { return true }
            end(frame)
            frame.complete()
        } catch {
            end(frame)
            job.fail(error)
        }
        return false
    }

    /// What a small model's picture takes stays for the next one until room is needed or the model goes: to have it
    /// anew from the system takes milliseconds, and such a picture only some twenty.
    static let keptBetweenPictures = 64 << 20

    private func end(_ frame: FramePainting) {
        frames.removeAll { $0 === frame }
        gate.isDone(frame.job)
        defer { workEnded(frame.job.rank.work) }
        // Drafts follow one another: their memory is given back when the last stage is done, or typing was over.
        guard frame.job.request.isLast else { return }
        let kept = Self.keptBetweenPictures
        operations.frames(frame.job.rank).releaseMemory(keeping: kept)
        if !frames.contains(where: { $0.job.rank == .draft }) {
            operations.drafts.releaseMemory(keeping: kept)
        }
    }
}
