import AssistantAPI
import FoundationEssentials
import ImageCodecs
import StableDiffusion
import Tensors

/// One frame being made: the engine drives it, part by part.
///
/// A frame that measures the model is made twice, small and with few steps: the first time brings weights and caches in,
/// the second one counts.
final class FramePainting {
    private enum Phase { case begin, denoise, decode, over }

    let job: FrameJob
    /// The time in which others were served within this one's work.
    var rest = Duration.zero
    private let painter: Painter
    private let room: RenderRoom
    private var phase = Phase.begin
    private var round = 0
    private var sketch: Sketch?
    private var bitmap: Bitmap?
    private var start: FrameRecipe.Start?
    /// Steps that were taken from a frame before.
    private var knownSteps = 0
    private var sample = StageTimes.Sample(width: 0, height: 0, decoder: "", encode: 0, steps: [], decode: 0)

    /// Steps that measure.
    private static let probeSteps = 2

    init(_ job: FrameJob, painter: Painter, room: RenderRoom) {
        self.job = job
        self.painter = painter
        self.room = room
    }

    /// Does the next part of the work: encodes, takes a denoising step, or decodes; false when there is no more to do.
    func next(_ pass: Pass) throws(AssistantError) -> Bool {
        do {
            if job.isCancelled { throw Interrupted() }
            switch phase {
            case .begin: try begin(pass)
            case .denoise: try denoise(pass)
            case .decode: try decode(pass)
            case .over: break
            }
        } catch is Interrupted {
            phase = .over
        } catch let error as StableDiffusionError {
            throw AssistantError(error, of: job.model)
        } catch {
            throw .modelUnusable(job.model, error)
        }
        return phase != .over
    }

    /// Ends its events.
    func complete() { job.finish() }

    // MARK: - Parts

    private func begin(_ pass: Pass) throws {
        var settings = job.plan.settings(of: 0)
        if round == 0 { job.send(.reading(painter.read)) }
        if let probe = job.request.probe {
            if round == 0 { job.send(.started(try painter.begin(settings, room.limits).outline)) }
            if probe.isKnown {
                phase = .over
                return
            }
            (settings.width, settings.height) = (probe.stage.width, probe.stage.height)
            settings.decoder = DecoderKind(rawValue: probe.stage.decoder)
            // Another text each time: the encoder's work counts too.
            settings.prompt = round == 0 ? "one" : "another picture"
            // The padding of drafts is computed once, which is to be over before they begin.
            if round == 0 {
                settings.textPadding = probe.stage.textPadding.flatMap(TextPadding.init) ?? .encoded
            }
        }
        let (sketch, encode) = try prepare(settings, pass)
        let outline = sketch.outline
        (sample.width, sample.height) = (outline.width, outline.height)
        (sample.decoder, sample.steps, knownSteps) = (outline.decoder, [], 0)
        if job.request.probe == nil { job.send(.started(outline)) }
        (sample.textPadding, sample.encode) = (settings.textPadding, encode)
        self.sketch = sketch
        phase = .denoise
    }

    /// Encodes the text and finds out where to start; tells how long that took.
    private func prepare(
        _ settings: RenderSettings, _ pass: Pass
    ) throws -> (sketch: Sketch, milliseconds: Double) {
        var settings = settings
        var sketch = try painter.begin(settings, room.limits)
        room.take(sketch.outline.memory)
        let milliseconds = try measure {
            start = job.request.start
            if start == nil, let warm = job.request.warm {
                start = try warm.choice(for: settings, outline: sketch.outline, painter: painter, pass)
            }
            if let start {
                try start.apply(to: &settings, outline: sketch.outline, factor: painter.info.factor)
                sketch = try painter.begin(settings, room.limits)
            }
            try sketch.prepare(pass)
        }
        return (sketch, milliseconds)
    }

    private func denoise(_ pass: Pass) throws {
        guard let sketch else { return }
        var goesOn = false
        let time = try measure { goesOn = try sketch.step(pass) }
        if knownSteps == 0, sketch.knewFirstStep() {
            // It cost nothing, and says nothing about what a step takes.
            knownSteps = 1
        } else {
            sample.steps.append(time)
            if job.request.probe == nil {
                job.send(.step(knownSteps + sample.steps.count, of: sketch.outline.stepCount))
            }
        }
        if job.request.probe != nil, sample.steps.count >= Self.probeSteps { goesOn = false }
        if !goesOn { phase = .decode }
    }

    private func decode(_ pass: Pass) throws {
        guard let sketch else { return }
        sample.decode = try measure { bitmap = try sketch.decode(pass) }
        self.sketch = nil
        round += 1
        guard job.request.probe == nil || round == 2 else {
            phase = .begin
            return
        }
        phase = .over
        guard let bitmap else { return }
        var recipe = job.plan.recipe(sketch.outline)
        // A start from latents is told in the frame's recipe.
        if start != nil { recipe.strength = nil }
        let outline = sketch.outline
        // A start picture takes fewer steps, too, but nobody would have taken the others.
        let skipped = start == nil ? 0 : outline.steps - outline.stepCount
        job.send(
            .finished(
                FinishedFrame(
                    bitmap: bitmap, frame: FrameRecipe(recipe: recipe, start: start), outline: outline,
                    sample: sample,
                    savedSteps: skipped + knownSteps,
                    latents: sketch.latents().map { Data($0.bytes) })))
    }

    /// Milliseconds that a part took, without those in which others were served.
    private func measure(_ work: () throws -> Void) rethrows -> Double {
        let (begin, rested) = (ContinuousClock.now, rest)
        try work()
        return max(0, (ContinuousClock.now - begin - (rest - rested)).milliseconds)
    }
}
