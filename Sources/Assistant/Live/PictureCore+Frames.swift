import AssistantAPI
import ImageCodecs
import StableDiffusion

extension PictureCore {
    var frameEngine: FrameEngine {
        FrameEngine(
            check: { request throws(AssistantError) in
                let (plan, _) = try self.plan(request)
                let info = try self.checkedInfo(of: plan.model)
                return FrameEngine.Facts(
                    model: plan.model.name, width: request.width ?? info.defaultWidth,
                    height: request.height ?? info.defaultHeight, factor: info.factor,
                    decoders: (info.decoders + (plan.options.tinyDecoder == nil ? [] : [.tiny])).map(
                        \.rawValue))
            },
            start: { request throws(AssistantError) in
                let running = try self.pictureEngine.start(request.picture, request.lane)
                return FrameEngine.Running(events: Self.frameEvents(of: running), cancel: running.cancel)
            })
    }

    /// The events of a request for one picture as those of a frame.
    private static func frameEvents(
        of running: PictureEngine.Running
    ) -> AsyncThrowingStream<FrameEvent, any Error> {
        let (stream, events) = AsyncThrowingStream.makeStream(of: FrameEvent.self)
        let task = Task {
            var outline: PictureOutline?
            var sample = StageTimes.Sample(width: 0, height: 0, decoder: "", encode: 0, steps: [], decode: 0)
            var bitmap: Bitmap?
            do {
                for try await event in running.events {
                    switch event {
                    case .loading(let fraction): events.yield(.loading(fraction: fraction))
                    case .notice(let notice): events.yield(.notice(notice))
                    case .started(_, let started):
                        outline = started
                        (sample.width, sample.height, sample.decoder) = (
                            started.width, started.height, started.decoder
                        )
                        events.yield(.started(started))
                    case .progress(let progress):
                        switch progress.stage {
                        case .encode: sample.encode = progress.milliseconds
                        case .denoise:
                            sample.steps.append(progress.milliseconds)
                            events.yield(.step(progress.done, of: progress.total))
                        case .decode: sample.decode = progress.milliseconds
                        }
                    case .picture(_, let picture): bitmap = picture
                    case .queued, .preview, .completed: break
                    }
                }
                if let bitmap, let outline {
                    events.yield(
                        .finished(
                            FinishedFrame(
                                bitmap: bitmap, frame: FrameRecipe(recipe: running.recipe(outline)),
                                outline: outline, sample: sample)))
                }
                events.finish()
            } catch {
                events.finish(throwing: error)
            }
        }
        events.onTermination = { reason in
            if case .cancelled = reason { task.cancel() }
        }
        return stream
    }
}
