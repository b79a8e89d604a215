import AssistantAPI
import StableDiffusion

// The way of a canvas's frame to the engine: the same checks as for any picture.

extension PictureCore {
    var frameEngine: FrameEngine {
        FrameEngine(
            check: { request, start throws(AssistantError) in
                let (plan, _) = try self.plan(request, start: start)
                let info = try self.checkedInfo(of: plan.model)
                let hasOtherDecoder = plan.options.tinyDecoder != nil && !info.decoders.contains(.tiny)
                return FrameEngine.Facts(
                    model: plan.model.name, width: request.width ?? info.defaultWidth,
                    height: request.height ?? info.defaultHeight, factor: info.factor,
                    decoders: (info.decoders + (hasOtherDecoder ? [.tiny] : [])).map(\.rawValue))
            },
            start: { request throws(AssistantError) in try self.start(request) })
    }

    private func start(_ request: FrameEngine.Request) throws(AssistantError) -> FrameEngine.Running {
        let (plan, notice) = try plan(request.picture, start: request.startPicture)
        let (events, continuation) = AsyncThrowingStream.makeStream(of: FrameEvent.self)
        let job = FrameJob(id: makeID(), plan: plan, request: request, continuation: continuation)
        let gate = engine.gate
        continuation.onTermination = { reason in
            if case .cancelled = reason { gate.cancel(job) }
        }
        if let notice, request.probe != nil { job.send(.notice(notice)) }
        try engine.submit(job)
        return FrameEngine.Running(events: events) { gate.cancel(job) }
    }
}
