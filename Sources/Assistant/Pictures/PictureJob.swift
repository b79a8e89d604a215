import AssistantAPI
import ImageCodecs

/// What happens in the engine while pictures are painted: pixels, of which others make files.
enum PaintingEvent: Sendable {
    case queued(ahead: Int)
    case loading(fraction: Double)
    case notice(Notice)
    case started(index: Int, PictureOutline)
    case progress(PictureEvent.Progress)
    /// How the picture will probably become; `number` counts from 0 for each picture.
    case preview(index: Int, number: Int, step: Int, Bitmap)
    case picture(index: Int, Bitmap)
    /// Once, last.
    case completed(PictureEvent.Completed)
}

/// A request on its way through the engine that needs a picture model.
protocol PaintingJob: EngineJob {
    var plan: PicturePlan { get }
    /// Tells how much of the model is in memory.
    func sendLoading(fraction: Double)
}

/// A request for pictures on its way through the engine.
final class PictureJob: PaintingJob {
    typealias Stream = AsyncThrowingStream<PaintingEvent, any Error>

    var queue: any WritableKeyPath<EngineGate.State, EngineQueue<PictureJob>> & Sendable { \.pictures }

    let ticket: EngineTicket
    let plan: PicturePlan
    private let continuation: Stream.Continuation

    init(id: UInt64, lane: String, plan: PicturePlan, continuation: Stream.Continuation) {
        ticket = EngineTicket(id: id, lane: lane, model: plan.model, keepAlive: plan.keepAlive)
        self.plan = plan
        self.continuation = continuation
    }

    func send(_ event: PaintingEvent) { continuation.yield(event) }

    func sendLoading(fraction: Double) { send(.loading(fraction: fraction)) }

    func sendQueued(ahead: Int) { send(.queued(ahead: ahead)) }

    func finish(_ completed: PictureEvent.Completed) {
        continuation.yield(.completed(completed))
        continuation.finish()
    }

    func fail(_ error: AssistantError) { continuation.finish(throwing: error) }

    func finishUntouched() { finishWithoutPictures(.cancelled, loading: .zero) }

    /// Ends a job for which nothing was painted, `loading` of its time apart.
    func finishWithoutPictures(_ reason: FinishReason, loading: Duration) {
        let total = ContinuousClock.now - arrival
        let timings = PictureTimings(
            queued: (total - loading).milliseconds, loading: loading.milliseconds, encode: 0, denoise: 0,
            decode: 0, total: total.milliseconds)
        finish(PictureEvent.Completed(finish: reason, timings: timings, promptTokens: 0))
    }
}
