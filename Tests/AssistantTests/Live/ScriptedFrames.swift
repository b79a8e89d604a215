import AssistantAPI
import ImageCodecs
import Synchronization

@testable import Assistant

/// An engine whose frames a test makes by hand.
final class ScriptedFrames: Sendable {
    /// One frame that was asked for.
    final class Call: Sendable {
        let request: FrameEngine.Request
        private let events: AsyncThrowingStream<FrameEvent, any Error>.Continuation
        private let stopped = Atomic(false)

        init(
            _ request: FrameEngine.Request, _ events: AsyncThrowingStream<FrameEvent, any Error>.Continuation
        ) {
            self.request = request
            self.events = events
        }

        var text: String { request.picture.prompt }
        var isStopped: Bool { stopped.load(ordering: .relaxed) }

        func send(_ event: FrameEvent) { events.yield(event) }

        /// Ends it with a frame for which each step took `step` milliseconds.
        func finish(step: Double = 40, steps: Int? = nil) {
            deliver(step: step, steps: steps)
            events.finish()
        }

        /// Gives the frame, but does not end yet: as if the canvas were still making its file.
        func deliver(step: Double = 40, steps: Int? = nil) {
            let picture = request.picture
            let stage = request.probe?.stage
            let (width, height) = (stage?.width ?? picture.width ?? 64, stage?.height ?? picture.height ?? 64)
            let taken = steps ?? picture.steps ?? 2
            let outline = Self.outline(picture)
            if request.probe != nil { events.yield(.started(outline)) }
            // What was measured before is only loaded.
            if request.probe?.isKnown == true { return }
            let decoder = stage?.decoder ?? picture.decoder ?? "full"
            let recipe = Recipe(
                model: "paint", prompt: picture.prompt, width: width, height: height,
                steps: picture.steps ?? 4, seed: picture.seed ?? 0, scheduler: "euler",
                guidanceScale: picture.guidanceScale ?? 0, decoder: decoder)
            let samples = Array(repeating: UInt8(truncatingIfNeeded: picture.prompt.utf8.count), count: 192)
            events.yield(
                .finished(
                    FinishedFrame(
                        bitmap: Bitmap(width: 8, height: 8, channels: 3, samples: samples),
                        frame: FrameRecipe(recipe: recipe, start: request.start), outline: outline,
                        sample: .init(
                            width: width, height: height, decoder: decoder, encode: 10,
                            steps: Array(repeating: step, count: taken), decode: 20),
                        latents: .init([1, 2, 3]))))
        }

        func fail(_ error: AssistantError) { events.finish(throwing: error) }

        fileprivate func stop() { if !stopped.exchange(true, ordering: .relaxed) { events.finish() } }

        private static func outline(_ picture: PictureRequest) -> PictureOutline {
            PictureOutline(
                width: picture.width ?? 64, height: picture.height ?? 64, steps: picture.steps ?? 4,
                stepCount: picture.steps ?? 4, seed: 0, scheduler: "euler",
                guidanceScale: picture.guidanceScale ?? 0, decoder: "full", clipSkip: 0, negativePrompt: "",
                promptTokens: 3, warnings: [])
        }
    }

    private let calls: AsyncStream<Call>
    private let newCalls: AsyncStream<Call>.Continuation
    private let count = Atomic(0)
    private let meanwhile = Mutex<(@Sendable () -> Void)?>(nil)

    init() { (calls, newCalls) = AsyncStream.makeStream() }

    /// How often a frame was asked for.
    var callCount: Int { count.load(ordering: .relaxed) }

    /// Does something while settings are checked the next time, as another client might.
    func duringNextCheck(_ work: @escaping @Sendable () -> Void) { meanwhile.withLock { $0 = work } }

    /// Waits for the next frame that is asked for.
    func next() async -> Call? {
        var iterator = calls.makeAsyncIterator()
        return await iterator.next()
    }

    var engine: FrameEngine {
        FrameEngine(
            check: { request, _ throws(AssistantError) in
                let work = self.meanwhile.withLock { work -> (@Sendable () -> Void)? in
                    defer { work = nil }
                    return work
                }
                work?()
                if request.model == "none" {
                    throw AssistantError(.modelNotFound, "none", parameter: "model")
                }
                return FrameEngine.Facts(
                    model: "paint", width: request.width ?? 512, height: request.height ?? 512, factor: 8,
                    decoders: ["full", "tiny"])
            },
            start: { request throws(AssistantError) in
                let (stream, events) = AsyncThrowingStream.makeStream(of: FrameEvent.self)
                let call = Call(request, events)
                self.count.add(1, ordering: .relaxed)
                self.newCalls.yield(call)
                return FrameEngine.Running(events: stream) { call.stop() }
            })
    }
}
