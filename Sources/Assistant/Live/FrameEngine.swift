import AssistantAPI
import FoundationEssentials
import ImageCodecs
import StableDiffusion

/// What canvases need of the engine, as plain functions, so that they can be tested without one.
struct FrameEngine: Sendable {
    /// What a model's files say that a canvas must know before the model is loaded.
    struct Facts: Sendable {
        /// Its public name.
        var model: String
        /// In pixels.
        var width: Int
        /// In pixels.
        var height: Int
        var factor: Int
        var decoders: [String]
    }

    /// One frame on its way.
    struct Running: Sendable {
        var events: AsyncThrowingStream<FrameEvent, any Error>
        /// Stops it; the events end then.
        var cancel: @Sendable () -> Void
    }

    /// What is asked of the engine for one frame.
    struct Request: Sendable {
        /// What goes before what: the greater one first.
        enum Rank: Int, Sendable, Comparable {
            case refinement, draft

            static func < (one: Self, other: Self) -> Bool { one.rawValue < other.rawValue }
        }

        var picture: PictureRequest
        /// The picture's start picture, as it was read once.
        var startPicture: StartPicture?
        var rank: Rank
        /// Frames of one canvas are made in order; canvases take turns.
        var lane: String
        /// Whether nothing better follows, so that memory can be given back.
        var isLast = true
        /// The frame before, from which this one may go on.
        var warm: WarmStart?
        /// Where this one must start, since it did so before.
        var start: FrameRecipe.Start?
        /// Of a request that gets the model ready.
        var probe: Probe?

        /// What is rendered to measure the model; the settled picture is told by `started` and not rendered.
        struct Probe: Sendable {
            var stage: CanvasStage
            /// Whether it was measured before, so that loading it is enough.
            var isKnown: Bool
        }
    }

    /// Checks settings, with the start picture that was read of them, as far as it can be done before the model is loaded.
    var check: @Sendable (PictureRequest, StartPicture?) throws(AssistantError) -> Facts
    /// Puts a frame into the line.
    var start: @Sendable (Request) throws(AssistantError) -> Running
}

/// What happens while one frame is made; without `finished` at its end it was stopped.
enum FrameEvent: Sendable {
    case loading(fraction: Double)
    case notice(Notice)
    /// The model is in memory, and reads texts so.
    case reading(@Sendable (String) -> PromptSignature)
    case started(PictureOutline)
    /// Denoising steps done.
    case step(Int, of: Int)
    case finished(FinishedFrame)
}

/// A frame as the engine gives it.
struct FinishedFrame: Sendable {
    var bitmap: Bitmap
    var frame: FrameRecipe
    var outline: PictureOutline
    var sample: StageTimes.Sample
    /// Steps that a start from noise would have taken beside those that were.
    var savedSteps = 0
    /// The finished latents, `[h, w, C]` as little-endian F16.
    var latents: Data?
}
