import BenchmarkSupport
import StableDiffusion
import Tensors

/// The measurements of one run.
struct Measurement {
    private let options: PictureBenchmark

    init(_ options: PictureBenchmark) {
        self.options = options
    }

    func run() throws -> Report {
        let instructionSet = options.instructionSet ?? .best
        let operations = Operations(
            pool: WorkerPool(threadCount: options.threads), instructionSet: instructionSet)
        let pass = Pass(operations: operations)
        var loading = LoadOptions()
        loading.tinyDecoder = options.tiny
        let stopwatch = Stopwatch()
        let model = try DiffusionModel.load(options.model, options: loading, operations: operations)
        let load = stopwatch.read()
        let plan = try model.plan(settings)
        var stages: [String: Report.Part] = [:]
        for stage in options.chosenStages {
            stages[stage.rawValue] = Report.Part(try measure(stage, model, plan, pass))
            operations.releaseMemory()
        }
        let reuse =
            options.reuse ? try ReuseMeasurement(model, settings, options.repetitions, pass).run() : []
        return Report(
            model: options.model, size: options.size, threads: options.threads,
            instructionSet: "\(instructionSet)", parameters: model.info.parameterCount,
            weightBytes: model.info.byteCount, loadSeconds: load.seconds,
            loadProcessorSeconds: load.processorSeconds, stages: stages, reuse: reuse,
            peakResidentBytes: Stopwatch.peakResidentBytes())
    }

    /// Without guidance, so that a step is one run of the network; more steps than are measured.
    private var settings: RenderSettings {
        var settings = RenderSettings(prompt: "a fox reading a newspaper in the snow", seed: 1)
        settings.width = options.size
        settings.height = options.size
        settings.steps = options.repetitions + 1
        settings.scheduler = .euler
        settings.guidanceScale = 1
        return settings
    }

    private func measure(
        _ stage: Stage, _ model: DiffusionModel, _ plan: RenderPlan, _ pass: Pass
    ) throws -> [Stopwatch.Sample] {
        switch stage {
        case .text:
            return try repeated { _ = try model.encodePrompt(plan, pass) }
        case .step:
            var denoising = try Denoising(model, plan, model.encodePrompt(plan, pass), pass: pass)
            return try repeated { _ = try denoising.next(pass) }
        case .decode:
            let latents = noise()
            return try repeated { _ = try model.decode(latents, with: .full, pass) }
        case .tiny:
            let latents = noise()
            return try repeated { _ = try model.decode(latents, with: .tiny, pass) }
        }
    }

    private func repeated(_ body: () throws -> Void) throws -> [Stopwatch.Sample] {
        var samples: [Stopwatch.Sample] = []
        for _ in 0...options.repetitions {
            let stopwatch = Stopwatch()
            try body()
            samples.append(stopwatch.read())
        }
        return Array(samples.dropFirst())
    }

    /// Latents of about unit variance; decoders take the same time for any.
    private func noise() -> FeatureMap {
        let side = options.size / 8
        let pixels = Tensor(rows: side * side, columns: 4)
        var state: UInt64 = 1
        for index in pixels.floats.indices {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            pixels.floats[index] = Float(state >> 40) / Float(1 << 24) * 3.4 - 1.7
        }
        return FeatureMap(height: side, width: side, pixels: pixels)
    }
}
