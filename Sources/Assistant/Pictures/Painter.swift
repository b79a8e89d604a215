import ImageCodecs
import StableDiffusion
import Tensors

/// A picture model in memory, as plain functions, so that the engine can be tested with scripted work.
struct Painter: Sendable {
    var info: DiffusionModelInfo
    /// Checks a request against the model and begins a picture; nothing has been computed yet.
    ///
    /// - Throws: `StableDiffusionError`.
    var begin: @Sendable (RenderSettings, RenderLimits) throws -> Sketch
    /// What the model sees of a prompt: equal signatures have the same picture.
    var read: @Sendable (String) -> PromptSignature = { $0.utf8.map(Int32.init) }
    /// How far the prompts of two requests are from each other for the model: 0 for the same, about 1 for nothing in common.
    ///
    /// What is encoded for that is kept for the pictures themselves.
    var distance: @Sendable (RenderSettings, RenderSettings, Pass) throws -> Double = { first, second, _ in
        first.prompt == second.prompt ? 0 : 1
    }
    /// What pictures left behind for the next ones, in bytes.
    var keptBytes: @Sendable () -> Int = { 0 }
    /// Gives that up; the next pictures take a little longer, and are the same.
    var forget: @Sendable () -> Void = {}
}

/// A picture on its way: its owner drives it, part by part.
struct Sketch {
    var outline: PictureOutline
    /// Encodes the prompt and the start picture, and draws the noise.
    var prepare: (Pass) throws -> Void
    /// Takes one denoising step; false when all are done.
    ///
    /// Interrupted, it changed nothing and can be taken again.
    var step: (Pass) throws -> Bool
    /// The picture as it will probably become, small.
    var preview: (Pass) throws -> Bitmap
    /// The finished picture.
    var decode: (Pass) throws -> Bitmap
    /// The latents as they stand, for another picture to start from; nil before `prepare`.
    var latents: () -> StartLatents? = { nil }
    /// Whether the first step cost nothing, since a picture before had taken it.
    var knewFirstStep: () -> Bool = { false }
}

/// How much a picture may take beside the weights, and how it takes that.
struct RenderRoom {
    /// What could be had if all that is idle went.
    var limits: RenderLimits
    /// Has room made for so many bytes, which are the picture's until its end.
    var take: (_ bytes: Int) -> Void
}

/// What a picture will be, with every default filled in.
struct PictureOutline: Sendable, Equatable {
    var width: Int
    var height: Int
    var steps: Int
    /// Of them, those that are taken: with a start picture fewer.
    var stepCount: Int
    var seed: UInt64
    var scheduler: String
    var guidanceScale: Double
    var decoder: String
    var clipSkip: Int
    var strength: Double?
    var negativePrompt: String
    /// Of the prompt and the negative prompt, as far as they are seen.
    var promptTokens: Int
    /// In sentences.
    var warnings: [String]
    /// What it takes beside the weights, in bytes, at the peak.
    var memory = 0
    /// What the model sees of the prompt: equal ones give the same picture.
    var tokens: [Int32] = []
    /// Whether a picture in a single step has taken this one's first step.
    var beginsAsOneStep = false
}

/// Where picture models come from.
struct PainterSource: Sendable {
    /// Reads configurations and headers only.
    var inspect: @Sendable (_ path: String, LoadOptions) throws -> DiffusionModelInfo
    var load:
        @Sendable (
            _ path: String, LoadOptions, Operations, _ progress: (Double) -> Void, InterruptionCheck
        ) throws -> Painter

    /// Models on disk.
    static let files = PainterSource(
        inspect: { path, options in try DiffusionModel.inspect(path, options: options) },
        load: { path, options, operations, progress, checkpoint in
            Painter(
                try DiffusionModel.load(
                    path, options: options, operations: operations, progress: progress,
                    checkpoint: checkpoint))
        })
}
