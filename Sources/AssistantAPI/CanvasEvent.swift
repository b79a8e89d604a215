public import FoundationEssentials

/// What the one long-lived stream of `GET /inkling/v1/canvases/{id}/events` carries.
///
/// On the wire each is a server-sent event with an `id:` that counts, `event:` the case's name, `data:` the value as
/// JSON. A client that comes back with `Last-Event-ID` gets what it missed, frames that were replaced meanwhile
/// left out. A failed render ends no stream.
public enum CanvasEvent: Sendable, Equatable {
    /// The canvas as it stands: first in every stream that begins anew, and after every change of settings or stages.
    case canvas(Canvas)
    case loading(ChatEvent.Loading)
    case notice(Notice)
    /// A part of a render is done.
    case progress(Progress)
    case frame(Frame)
    /// A render was stopped, or never begun, because its text is no longer the newest.
    case superseded(Superseded)
    /// Nothing more will be rendered until the text or the settings change.
    case settled(Settled)
    /// A picture was kept.
    case committed(CanvasCommitted)
    /// A render failed; the text's better stages and the next text are rendered all the same.
    case failed(Failure)
    /// The canvas is gone; last.
    case closed(Closed)

    public struct Progress: Codable, Sendable, Equatable {
        public var revision: Int
        public var stage: CanvasStage.Name
        /// Denoising steps done.
        public var step: Int
        public var steps: Int

        public init(revision: Int, stage: CanvasStage.Name, step: Int, steps: Int) {
            self.revision = revision
            self.stage = stage
            self.step = step
            self.steps = steps
        }
    }

    /// A picture of the text as of `revision`.
    public struct Frame: Codable, Sendable, Equatable {
        /// Counts the canvas's frames, from 1.
        public var number: Int
        public var revision: Int
        public var stage: CanvasStage.Name
        /// Steps that were taken, of those that a start from noise would have taken.
        public var step: Int
        public var steps: Int
        /// Whether this is the picture that `inkling imagine` makes of the same text, seed and settings.
        public var isSettled: Bool
        public var width: Int
        public var height: Int
        public var format: PictureFormat
        /// The file.
        public var data: Data
        public var timings: FrameTimings

        public init(
            number: Int, revision: Int, stage: CanvasStage.Name, step: Int, steps: Int, isSettled: Bool,
            width: Int, height: Int, format: PictureFormat, data: Data, timings: FrameTimings
        ) {
            self.number = number
            self.revision = revision
            self.stage = stage
            self.step = step
            self.steps = steps
            self.isSettled = isSettled
            self.width = width
            self.height = height
            self.format = format
            self.data = data
            self.timings = timings
        }
    }

    public struct Superseded: Codable, Sendable, Equatable {
        public var revision: Int
        public var stage: CanvasStage.Name
        /// Denoising steps that were done for nothing.
        public var step: Int

        public init(revision: Int, stage: CanvasStage.Name, step: Int) {
            self.revision = revision
            self.stage = stage
            self.step = step
        }
    }

    public struct Settled: Codable, Sendable, Equatable {
        public var revision: Int
        /// The number of the text's last frame; 0 when it has none: it is empty, or all of its renders failed.
        public var frame: Int

        public init(revision: Int, frame: Int) {
            self.revision = revision
            self.frame = frame
        }
    }

    public struct Failure: Codable, Sendable, Equatable {
        public var revision: Int
        public var error: AssistantError

        public init(revision: Int, error: AssistantError) {
            self.revision = revision
            self.error = error
        }
    }

    public struct Closed: Codable, Sendable, Equatable {
        public init() {}
    }
}

/// Where the time of one frame went, in milliseconds.
public struct FrameTimings: Codable, Sendable, Equatable {
    /// From the text's arrival to the frame's being sent.
    public var sinceKey: Double
    /// From the text's arrival to the render's start: debounce and queue.
    public var waited: Double
    public var encode: Double
    public var denoise: Double
    public var decode: Double

    public init(sinceKey: Double, waited: Double, encode: Double, denoise: Double, decode: Double) {
        self.sinceKey = sinceKey
        self.waited = waited
        self.encode = encode
        self.denoise = denoise
        self.decode = decode
    }
}
