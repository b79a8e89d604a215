import AssistantAPI
import ImageCodecs
import StableDiffusion
import Tensors

/// One request for pictures being served: one after the other, each in parts.
///
/// The engine drives it; it tells pixels, of which others make files.
final class Painting {
    private enum Phase { case begin, denoise, decode }

    let job: PictureJob
    private let painter: Painter
    private let room: RenderRoom
    private var phase = Phase.begin
    /// Of the picture that is being made: so many are finished.
    private(set) var index = 0
    private var sketch: Sketch?
    private var step = 0
    /// How many previews of this picture were told.
    private var previewCount = 0
    private var promptTokens = 0
    private var isStopped = false
    private var clock: PaintingClock

    /// The request's turn has come now; `loading` of the time since its arrival went into loading the model.
    init(_ job: PictureJob, painter: Painter, room: RenderRoom, loading: Duration) {
        self.job = job
        self.painter = painter
        self.room = room
        clock = PaintingClock(arrival: job.arrival, loading: loading)
        for warning in painter.info.warnings {
            job.send(.notice(Notice(code: "model_warning", message: warning)))
        }
    }

    /// Does the next part of the work: encodes, takes a denoising step, or decodes.
    ///
    /// - Returns: whether there is more to do.
    func next(_ pass: Pass) throws(AssistantError) -> Bool {
        do {
            if job.isCancelled { throw Interrupted() }
            switch phase {
            case .begin: try begin(pass)
            case .denoise: try denoise(pass)
            case .decode: try decode(pass)
            }
        } catch is Interrupted {
            isStopped = true
        } catch let error as StableDiffusionError {
            throw AssistantError(error, of: job.model)
        } catch {
            throw .modelUnusable(job.model, error)
        }
        return !isStopped && index < job.plan.count
    }

    /// How it ended, now that nothing more is to be done; `failed` where an error ended it.
    func outcome(failed: Bool = false) -> PictureEvent.Completed {
        PictureEvent.Completed(
            finish: failed ? .failed : isStopped ? .cancelled : .stop, timings: clock.timings(),
            promptTokens: promptTokens)
    }

    // MARK: - Parts

    private func begin(_ pass: Pass) throws {
        let sketch = try painter.begin(job.plan.settings(of: index), room.limits)
        room.take(sketch.outline.memory)
        if index == 0 {
            promptTokens = sketch.outline.promptTokens
            for warning in sketch.outline.warnings {
                job.send(.notice(Notice(code: "prompt_cut", message: warning)))
            }
        }
        job.send(.started(index: index, sketch.outline))
        let milliseconds = try clock.measure(\.encode) { try sketch.prepare(pass) }
        report(.encode, done: 1, of: 1, milliseconds)
        self.sketch = sketch
        (step, previewCount, phase) = (0, 0, .denoise)
    }

    private func denoise(_ pass: Pass) throws {
        guard let sketch else { return }
        let stepCount = sketch.outline.stepCount
        var goesOn = false
        let milliseconds = try clock.measure(\.denoise) { goesOn = try sketch.step(pass) }
        step += 1
        report(.denoise, done: min(step, stepCount), of: stepCount, milliseconds)
        if goesOn, job.plan.previewSteps(of: stepCount).contains(step) {
            job.send(
                .preview(index: index, number: previewCount, step: step, try sketch.preview(pass)))
            previewCount += 1
        }
        if !goesOn { phase = .decode }
    }

    private func decode(_ pass: Pass) throws {
        guard let sketch else { return }
        var bitmap: Bitmap?
        let milliseconds = try clock.measure(\.decode) { bitmap = try sketch.decode(pass) }
        report(.decode, done: 1, of: 1, milliseconds)
        if let bitmap { job.send(.picture(index: index, bitmap)) }
        self.sketch = nil
        index += 1
        phase = .begin
    }

    private func report(_ stage: PictureEvent.Stage, done: Int, of total: Int, _ milliseconds: Double) {
        job.send(
            .progress(
                .init(index: index, stage: stage, done: done, total: total, milliseconds: milliseconds)))
    }
}

/// Where the time of one request for pictures goes.
private struct PaintingClock {
    private let arrival: ContinuousClock.Instant
    private let start: ContinuousClock.Instant
    private let loading: Duration
    var encode = 0.0
    var denoise = 0.0
    var decode = 0.0

    init(arrival: ContinuousClock.Instant, loading: Duration) {
        self.arrival = arrival
        self.loading = loading
        start = .now
    }

    /// Runs a part of the work; what it took, answers in between included, is added to `part` and returned.
    mutating func measure(
        _ part: WritableKeyPath<Self, Double>, _ work: () throws -> Void
    ) rethrows -> Double {
        let begin = ContinuousClock.now
        try work()
        let milliseconds = (ContinuousClock.now - begin).milliseconds
        self[keyPath: part] += milliseconds
        return milliseconds
    }

    func timings() -> PictureTimings {
        PictureTimings(
            queued: (start - arrival - loading).milliseconds, loading: loading.milliseconds, encode: encode,
            denoise: denoise, decode: decode, total: (.now - arrival).milliseconds)
    }
}

extension AssistantError {
    /// What a picture model says against a request or its own files.
    init(_ error: StableDiffusionError, of model: ModelFile) {
        switch error {
        case .invalidSetting(let name, _, _):
            let field = name == "start picture" ? "init_image" : name.replacing(" ", with: "_")
            self.init(.invalidRequest, error.description, parameter: field)
        case .invalidSize, .exceedsPixels:
            self.init(.invalidRequest, error.description, parameter: "size")
        case .exceedsMemory:
            self.init(.outOfMemory, error.description, parameter: "size")
        default:
            self = .modelUnusable(model, error)
        }
    }
}
