import FoundationEssentials
import ImageCodecs
import StableDiffusion
import Synchronization
import Tensors

@testable import Assistant

/// Picture models whose work a test scripts; the pictures are one colour that follows from seed and steps.
final class ScriptedPainter: Sendable {
    /// What happens inside a denoising step; it may call the checkpoint as often as it likes.
    typealias Work = @Sendable (_ step: Int, Pass) throws -> Void

    private let byteCount: Int
    private let work: Work
    private let decoders: [DecoderKind]
    private let takesTinyDecoder: Bool
    private let loads = Mutex<[(name: String, tinyDecoder: String?)]>([])

    init(
        byteCount: Int = 1000, decoders: [DecoderKind] = [.full, .tiny], takesTinyDecoder: Bool = true,
        work: @escaping Work = { _, _ in }
    ) {
        self.byteCount = byteCount
        self.decoders = decoders
        self.takesTinyDecoder = takesTinyDecoder
        self.work = work
    }

    /// The models that were loaded, by the last part of their path, in order.
    var loaded: [String] { loads.withLock { $0.map(\.name) } }
    /// The tiny decoders that they were loaded with.
    var tinyDecoders: [String?] { loads.withLock { $0.map(\.tinyDecoder) } }

    var info: DiffusionModelInfo {
        DiffusionModelInfo(
            family: .stableDiffusion1, parameterCount: 500, byteCount: byteCount, defaultWidth: 64,
            defaultHeight: 64, factor: 8, decoders: decoders, scheduler: .euler, prediction: .epsilon)
    }

    var source: PainterSource {
        PainterSource(
            inspect: { path, options in
                if let tiny = options.tinyDecoder, !self.takesTinyDecoder {
                    throw StableDiffusionError.unsupportedFeature(path: tiny, feature: "another factor")
                }
                if path.hasSuffix("broken") {
                    throw StableDiffusionError.missingPart(
                        path: path, part: "VAE", expected: "vae/config.json")
                }
                return self.info
            },
            load: { path, options, _, progress, checkpoint in
                let name = String(path.split(separator: "/").last ?? "")
                self.loads.withLock { $0.append((name, options.tinyDecoder)) }
                progress(0.5)
                try checkpoint()
                return Painter(info: self.info) { settings, limits in try self.begin(settings, limits) }
            })
    }

    private func begin(_ settings: RenderSettings, _ limits: RenderLimits) throws -> Sketch {
        let (width, height) = (settings.width ?? 64, settings.height ?? 64)
        if let limit = limits.memory, width * height > limit {
            throw StableDiffusionError.exceedsMemory(
                width: width, height: height, needed: width * height, limit: limit)
        }
        let steps = settings.steps ?? 4
        let colour: [UInt8] = [UInt8(truncatingIfNeeded: settings.seed), UInt8(truncatingIfNeeded: steps), 7]
        var done = 0
        return Sketch(
            outline: PictureOutline(
                width: width, height: height, steps: steps, stepCount: steps, seed: settings.seed,
                scheduler: settings.scheduler?.rawValue ?? "euler",
                guidanceScale: settings.guidanceScale ?? 7.5,
                decoder: settings.decoder?.rawValue ?? "full", clipSkip: settings.clipSkip,
                strength: settings.strength, negativePrompt: settings.negativePrompt,
                promptTokens: settings.prompt.utf8.count,
                warnings: settings.prompt.utf8.count > 77 ? ["The end of the prompt is not seen."] : []),
            prepare: { try $0.checkpoint() },
            step: { pass in
                try pass.checkpoint()
                try self.work(done, pass)
                done += 1
                return done < steps
            },
            preview: { _ in Self.plain(colour, width / 8, height / 8) },
            decode: { pass in
                try pass.checkpoint()
                return Self.plain(colour, width, height)
            })
    }

    private static func plain(_ colour: [UInt8], _ width: Int, _ height: Int) -> Bitmap {
        Bitmap(
            width: width, height: height, channels: 3,
            samples: Array(repeating: colour, count: width * height).flatMap { $0 })
    }

    /// Puts a folder into a models' folder that counts as a picture model.
    static func makeModel(_ name: String, in models: String) throws {
        let folder = "\(models)/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("{}".utf8).write(to: URL(filePath: folder + "/model_index.json"))
    }
}

/// A place inside a denoising step where the engine waits for the test, and the test for the engine.
final class StepGate: Sendable {
    private let entries: AsyncStream<Int>
    private let entered: AsyncStream<Int>.Continuation
    private let isOpen = Atomic(false)

    init() { (entries, entered) = AsyncStream.makeStream() }

    /// On the engine's thread: tells the test, and comes back to the checkpoint until the gate is open.
    func pass(_ step: Int, _ pass: Pass) throws {
        entered.yield(step)
        let end = ContinuousClock.now + .seconds(60)
        while !isOpen.load(ordering: .acquiring) {
            guard ContinuousClock.now < end else { throw StepGateError.nobodyOpened }
            try pass.checkpoint()
        }
    }

    /// Waits until a step has begun.
    func reached() async -> Int? {
        var iterator = entries.makeAsyncIterator()
        return await iterator.next()
    }

    func open() { isOpen.store(true, ordering: .releasing) }
}

enum StepGateError: Error { case nobodyOpened }
