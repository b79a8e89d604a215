import AssistantAPI

/// A frame of a canvas on its way through the engine.
final class FrameJob: PaintingJob {
    typealias Stream = AsyncThrowingStream<FrameEvent, any Error>

    let ticket: EngineTicket
    let plan: PicturePlan
    let request: FrameEngine.Request
    private let continuation: Stream.Continuation

    init(
        id: UInt64, plan: PicturePlan, request: FrameEngine.Request, continuation: Stream.Continuation
    ) {
        ticket = EngineTicket(id: id, lane: request.lane, model: plan.model)
        self.plan = plan
        self.request = request
        self.continuation = continuation
    }

    var rank: FrameEngine.Request.Rank { request.rank }

    var queue: any WritableKeyPath<EngineGate.State, EngineQueue<FrameJob>> & Sendable {
        switch rank {
        case .draft: \.draftFrames
        case .refinement: \.refinements
        }
    }

    func send(_ event: FrameEvent) { continuation.yield(event) }

    func sendLoading(fraction: Double) { send(.loading(fraction: fraction)) }

    func sendQueued(ahead: Int) {}

    func finish() { continuation.finish() }

    func fail(_ error: AssistantError) { continuation.finish(throwing: error) }

    func finishUntouched() { finish() }
}
